import { cooperate } from "../loop/event_loop.ts";
import { type Direction, type PollSource, type Watch, watching } from "../loop/poll_source.ts";
import { checkpoint, type WaitOptions } from "../loop/wait.ts";
import { Delimiter } from "./_delimiter.ts";
import {
  Anything,
  type Demand,
  Exactly,
  Into,
  TextLine,
  UntilDelimiter,
  UntilMatch,
} from "./_demand.ts";
import { coded, failureOf } from "./_failure.ts";
import { fromPlatform, readableOf, writableOf } from "./_platform_streams.ts";
import { Lines } from "./_lines.ts";
import { checkSize } from "./_size.ts";
import { Reading, WHATEVER } from "./_reading.ts";
import { StreamError, type StreamErrorOptions } from "./stream_error.ts";
import type { Transport } from "./transport.ts";
import { Writing } from "./_writing.ts";

/** How {@linkcode BaseStream.prototype.lines} splits. */
export interface LinesOptions {
  /** How many bytes a line may have, without what ends it. The default is the stream's `maxBufferSize`. */
  maxLength?: number;
}

const MAX_BUFFER_SIZE = 1_048_576;

/**
 * A stream of bytes. Every blocking call of it can be killed, timed out and aborted, and loses nothing by that:
 * what arrives later is there for the next call, and what was written is sent.
 *
 * Several tasks may read, or write, at the same time; they are served in the order in which they came. A clean
 * end of the input is `null`. After {@linkcode BaseStream.prototype.close} every call throws the stream's class
 * of error with the code "ECLOSED".
 */
export abstract class BaseStream implements AsyncDisposable, AsyncIterable<Uint8Array>, PollSource {
  readonly #reading = new Reading(
    () => this.#describe("reading from"),
    (cause) => this.fault("read from", cause),
    () => this.address,
  );
  readonly #writing = new Writing(
    () => this.#describe("writing to"),
    (cause) => this.fault("write to", cause),
    () => this.address,
  );
  #transport: Transport | null = null;
  #maxBufferSize = MAX_BUFFER_SIZE;
  #state: "new" | "open" | "shut" | "closed" = "new";
  /** What was read until last: nearly always the same is asked for again. */
  #until: UntilDelimiter | null = null;
  #readable: ReadableStream<Uint8Array> | null = null;
  #writable: WritableStream<Uint8Array> | null = null;

  /** Whether {@linkcode BaseStream.prototype.close} was called. */
  get closed(): boolean {
    return this.#state === "closed";
  }

  /**
   * Within how many bytes a delimiter must come. If it does not, the read throws a
   * {@linkcode BufferLimitError}, and what was read is still there.
   *
   * @default {1048576}
   */
  get maxBufferSize(): number {
    return this.#maxBufferSize;
  }

  set maxBufferSize(size: number) {
    checkSize("set maxBufferSize", size, 1);
    this.#maxBufferSize = size;
  }

  /**
   * Makes a stream of two of the platform's. Closing it cancels the one and closes the other.
   *
   * @param readable Where it reads. Absent: it has ended already.
   * @param writable Where it writes. Absent: it cannot be written.
   */
  static from(
    readable?: ReadableStream<Uint8Array> | null,
    writable?: WritableStream<Uint8Array> | null,
  ): BaseStream {
    return fromPlatform(readable ?? null, writable ?? null);
  }

  /** How many bytes were written that the system has not taken yet. */
  get buffered(): number {
    return this.#writing.buffered;
  }

  /**
   * How many bytes may be buffered to be written. A write that would make it more throws a
   * {@linkcode BufferLimitError}, and none of its data is sent.
   *
   * @default {Infinity}
   */
  get maxBuffered(): number {
    return this.#writing.limit;
  }

  set maxBuffered(size: number) {
    checkSize("set maxBuffered", size, 1);
    this.#writing.limit = size;
  }

  /** How many bytes have arrived. */
  get bytesRead(): number {
    return this.#reading.count;
  }

  /** How many bytes the system has taken. */
  get bytesWritten(): number {
    return this.#writing.count;
  }

  /**
   * Reads what is there, and waits until something is.
   *
   * @param max How many bytes at the most.
   * @returns The bytes, at least one, or `null` at the end.
   * @throws {StreamError} If the stream is closed, or is meanwhile, or fails.
   * @throws {TimeoutError} If nothing comes within `options.timeout`.
   */
  read(max?: number, options?: WaitOptions): Promise<Uint8Array | null> {
    return this.#take(options, () => max === undefined ? WHATEVER : new Anything(max));
  }

  /**
   * Reads what is there into memory of the caller's, and waits until something is. A loop that copies much needs
   * no new memory for each piece so.
   *
   * @param target Where the bytes are put, from its beginning; how many at the most.
   * @returns How many bytes, at least one, or `null` at the end.
   * @throws {StreamError} If the stream is closed, or is meanwhile, or fails.
   * @throws {TimeoutError} If nothing comes within `options.timeout`. What comes later is not put there.
   */
  readInto(target: Uint8Array, options?: WaitOptions): Promise<number | null> {
    return this.#take(options, () => new Into(target));
  }

  /**
   * Reads exactly `nbytes`, fewer only at the end.
   *
   * @returns The bytes, or `null` if the end has come before the first one.
   * @throws {StreamError} If the stream is closed, or is meanwhile, or fails.
   * @throws {TimeoutError} If they do not come within `options.timeout`. They are there for the next call.
   */
  readBytes(nbytes: number, options?: WaitOptions): Promise<Uint8Array | null> {
    return this.#take(options, () => new Exactly(nbytes));
  }

  /**
   * Reads up to and with `delimiter`. However long it takes to come, no byte is looked at twice.
   *
   * @returns The bytes, or `null` if the stream ends before the first one.
   * @throws {IncompleteReadError} If the stream ends without it; what was left is in the error.
   * @throws {BufferLimitError} If it does not come within {@linkcode BaseStream.prototype.maxBufferSize} bytes.
   * @throws {StreamError} If the stream is closed, or is meanwhile, or fails.
   * @throws {TimeoutError} If it does not come within `options.timeout`.
   */
  readUntil(delimiter: string | Uint8Array, options?: WaitOptions): Promise<Uint8Array | null> {
    const last = this.#until;
    if (
      last !== null && delimiter === last.delimiter.source && last.limit === this.#maxBufferSize
    ) {
      return this.#refuseRead(options) ?? this.#reading.take(last, options);
    }
    return this.#take(options, () => {
      return this.#until = new UntilDelimiter(new Delimiter(delimiter), this.#maxBufferSize);
    });
  }

  /**
   * Reads up to the end of the first match of `regex`, which sees each byte as one character. It is tried
   * whenever something has arrived, so one that can match more when more comes may match less.
   *
   * @returns The bytes, or `null` if the stream ends before the first one.
   * @throws {IncompleteReadError} If the stream ends without a match; what was left is in the error.
   * @throws {BufferLimitError} If none comes within {@linkcode BaseStream.prototype.maxBufferSize} bytes.
   * @throws {StreamError} If the stream is closed, or is meanwhile, or fails.
   * @throws {TimeoutError} If none comes within `options.timeout`.
   */
  readUntilRegex(regex: RegExp, options?: WaitOptions): Promise<Uint8Array | null> {
    return this.#take(options, () => new UntilMatch(regex, this.#maxBufferSize));
  }

  /**
   * The lines of text that follow, without what ends them ("\n" or "\r\n"). The text is UTF-8.
   *
   * @throws {BufferLimitError} If a line is longer than `options.maxLength`.
   */
  lines(options?: LinesOptions): AsyncIterableIterator<string> {
    const { maxLength } = options ?? {};
    let line: TextLine | undefined;
    const demand = () => line ??= new TextLine(maxLength, () => this.#maxBufferSize);
    return new Lines(() => this.#take(undefined, demand));
  }

  /**
   * Writes `data`, a string as UTF-8. Data that the system does not take at once are buffered, and the call
   * waits only while too much is. If that wait ends early, the data stay buffered and are sent.
   *
   * @returns `true` if the system has taken them, `false` if they are buffered.
   * @throws {StreamError} If the stream is closed or shut down, or has failed, perhaps in an earlier write.
   * @throws {TimeoutError} If too much is still buffered after `options.timeout`.
   */
  write(data: string | Uint8Array, options?: WaitOptions): Promise<boolean> {
    const refused = this.check("write to", options);
    if (refused !== undefined) return refused;
    if (this.#state === "shut") {
      return Promise.reject(this.refuse("write to", "its write side was shut down", "EPIPE"));
    }
    return this.#writing.write(data, options);
  }

  /**
   * Waits until the system has taken all that was written.
   *
   * @throws {StreamError} If the stream is closed, or is meanwhile, or a write has failed.
   * @throws {TimeoutError} If it takes longer than `options.timeout`.
   */
  flush(options?: WaitOptions): Promise<void> {
    return this.check("flush", options) ?? this.#writing.flush(options);
  }

  /**
   * Flushes, then tells the other side that nothing more comes. Reading goes on.
   *
   * @throws {StreamError} If the stream is closed, or is meanwhile, or a write has failed.
   * @throws {TimeoutError} If it takes longer than `options.timeout`.
   */
  async shutdown(options?: WaitOptions): Promise<void> {
    await this.check("shut down", options);
    if (this.#state === "shut") return;
    await this.#writing.flush(options);
    if (this.#state !== "open") {
      throw this.refuse(
        "shut down",
        this.closed ? "it is closed" : "it is not connected",
        "ENOTCONN",
      );
    }
    this.#state = "shut";
    await cooperate(this.#closeWrite(this.#transport!), options);
  }

  /** Closes it at once; what is buffered is dropped. Who waits on it gets an error. Again, it does nothing. */
  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    const transport = this.#transport;
    this.#transport = null;
    this.#reading.close(() => this.#closedError("read from"));
    this.#writing.close(() => this.#closedError("write to"));
    transport?.close();
  }

  /** Flushes if it can, then closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (this.#state === "open" && this.#writing.buffered > 0) await this.#writing.flush();
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
    } finally {
      this.close();
    }
  }

  /** Reads what is there until the end. Leaving the loop does not close the stream. */
  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    for (let chunk = await this.read(); chunk !== null; chunk = await this.read()) yield chunk;
  }

  /** The stream as one of the platform's. What is read there is not read here. Cancelling it closes the stream. */
  get readable(): ReadableStream<Uint8Array> {
    return this.#readable ??= readableOf(this);
  }

  /** The stream as one of the platform's. Closing it shuts the stream down, aborting it closes the stream. */
  get writable(): WritableStream<Uint8Array> {
    return this.#writable ??= writableOf(this);
  }

  /** Tells {@linkcode EventLoop.prototype.addReader} and `lib.select` when a call would not wait. */
  [watching](direction: Direction, notify: (error?: Error) => void): Watch {
    return (direction === "read" ? this.#reading : this.#writing).watch(() => notify());
  }

  /** Stands on `transport` from now on; what was written before is sent. For subclasses. */
  protected attach(transport: Transport): void {
    this.#transport = transport;
    this.#state = "open";
    this.#writing.attach(transport);
    this.#reading.attach(transport);
  }

  /** Whether nothing has arrived that was not read, and no read is under way. */
  protected get idle(): boolean {
    return this.#reading.idle;
  }

  /** Stands on nothing, until it is attached again. For subclasses. */
  protected detach(): void {
    this.#transport = null;
    this.#state = "new";
    this.#reading.attach(null);
    this.#writing.attach(null);
  }

  /** Drops what was read ahead, and says how much that was. For subclasses. */
  protected forget(): number {
    return this.#reading.forget();
  }

  /** Waits until no read is under way and all is written. For subclasses. */
  protected async settle(options?: WaitOptions): Promise<void> {
    await this.#writing.flush(options);
    if (this.#reading.pending !== null) await cooperate(this.#reading.pending, options);
  }

  /** What it is connected to, for messages; `undefined` if there is no name for it. */
  protected abstract readonly address: string | undefined;

  /** Makes an error of the class that this kind of stream throws. */
  protected makeError(message: string, options: StreamErrorOptions): StreamError {
    return new StreamError(message, options);
  }

  /** The error that says that `what` failed because of `cause`. */
  protected fault(what: string, cause: unknown): StreamError {
    const { why, ...options } = failureOf(cause, this.address);
    return this.makeError(`Cannot ${what} ${this.#name}: ${why}`, options);
  }

  /** Whether it is being connected: reads wait for that. */
  protected get opening(): boolean {
    return false;
  }

  /** What every blocking call does first. Returns what it must return in place of its result, if anything. */
  protected check(what: string, options?: WaitOptions): Promise<never> | undefined {
    const refused = checkpoint(options);
    if (refused !== undefined) return refused;
    return this.#state === "closed" ? Promise.reject(this.#closedError(what)) : undefined;
  }

  /** Gives an error to those who wait to read, but to none who comes later. */
  protected discourage(make: () => unknown): void {
    this.#reading.discourage(make);
  }

  /** The error for a call that makes no sense now. */
  protected refuse(what: string, why: string, code: string): StreamError {
    return this.makeError(`Cannot ${what} ${this.#name}: ${why}`, coded(code, this.address));
  }

  async #closeWrite(transport: Transport): Promise<void> {
    try {
      await transport.closeWrite();
    } catch (error) {
      throw this.closed ? this.#closedError("shut down") : this.fault("shut down", error);
    }
  }

  get #name(): string {
    return this.address ?? `the ${this.constructor.name}`;
  }

  #describe(what: string): string {
    return `${this.constructor.name} ${what} ${this.address ?? "it"}`;
  }

  #take<T>(
    options: WaitOptions | undefined,
    demand: () => Demand<T>,
  ): Promise<T | null> {
    const refused = this.#refuseRead(options);
    if (refused !== undefined) return refused;
    try {
      return this.#reading.take(demand(), options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #refuseRead(options?: WaitOptions): Promise<never> | undefined {
    const refused = this.check("read from", options);
    if (refused !== undefined || this.#state !== "new" || this.opening) return refused;
    return Promise.reject(this.refuse("read from", "it is not connected", "ENOTCONN"));
  }

  #closedError(what: string): StreamError {
    return this.refuse(what, `the ${this.constructor.name} is closed`, "ECLOSED");
  }
}
