import { shown } from "../loop/arguments.ts";
import { type Direction, type PollSource, type Watch, watching } from "../loop/poll_source.ts";
import { Ring } from "../loop/ring.ts";
import { checkpoint, raisesTimeout, type WaitOptions } from "../loop/wait.ts";
import { shownAddress } from "./_address.ts";
import { coded, failureOf } from "./_failure.ts";
import { Onlookers } from "./_onlookers.ts";
import { OutsideLine } from "./_outside_line.ts";
import { WebSocketOutput } from "./_web_socket_output.ts";
import { StreamError, type StreamErrorOptions } from "./stream_error.ts";

/** What comes and goes on a {@linkcode WebSocketConnection}. */
export type WebSocketMessage = string | Uint8Array;

/** How much a {@linkcode WebSocketConnection} takes. */
export interface WebSocketLimits {
  /** How many bytes a message may have. The connection is closed with code 1009 on a bigger one. Default: 1 MiB. */
  maxMessageSize?: number;
  /**
   * How many bytes may be waiting to be received. The connection is closed with code 1008 beyond. Of more than a
   * thousand messages, each counts for 64 bytes at the least. Default: 16 MiB.
   */
  maxQueuedSize?: number;
}

/** What a message costs at the least while it waits to be received: so there cannot be any number of empty ones. */
const LEAST = 64;
/** So many may wait, however small the limit is. */
const FEW = 1_000;
/** How many bytes the reason of a close may have: what fits into a control frame. */
const MAX_REASON = 123;
/** What it is closed with when it broke: no such code is ever sent. */
const ABNORMAL = 1006;

const encoder = new TextEncoder();

/** What went wrong, once something has. */
type Failure = StreamErrorOptions & { readonly why: string };

/**
 * A WebSocket whose calls block. Made by {@linkcode upgrade}.
 *
 * Messages that come while nobody receives are kept, so a receive that is killed or times out loses nothing; several
 * tasks that receive are served in the order in which they came.
 */
export class WebSocketConnection
  implements AsyncDisposable, AsyncIterable<WebSocketMessage>, PollSource {
  readonly #socket: WebSocket;
  readonly #peername: Deno.NetAddr;
  readonly #protocol: string;
  readonly #waiting = new OutsideLine<WebSocketMessage | null>(() => this.#describe("receive"));
  readonly #opening = new OutsideLine<void>(() => this.#describe("opened"));
  readonly #output: WebSocketOutput;
  readonly #onlookers = new Onlookers();
  readonly #messages = new Ring<WebSocketMessage>();
  readonly #maxMessageSize: number;
  readonly #maxQueuedSize: number;
  readonly #gone = Promise.withResolvers<void>();
  #size = 0;
  #failure: Failure | null = null;
  /** Who has begun to close it: who uses it, or the server that is closed. */
  #closing: "user" | "server" | null = null;
  #ended = false;
  #closeCode: number | null = null;
  #closeReason = "";

  /** Not for general use: see {@linkcode upgrade}. */
  constructor(
    socket: WebSocket,
    peername: Deno.NetAddr,
    limits: Required<WebSocketLimits>,
    protocol = "",
  ) {
    this.#socket = socket;
    this.#protocol = protocol;
    this.#peername = peername;
    this.#maxMessageSize = limits.maxMessageSize;
    this.#maxQueuedSize = limits.maxQueuedSize;
    this.#output = new WebSocketOutput(socket, (call) => this.#describe(call));
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      // The platform forgets a close() that comes before.
      if (this.closed) socket.close(1000);
      this.#opening.wakeAll();
    };
    socket.onmessage = ({ data }) => {
      if (this.closed) return;
      this.#arrived(typeof data === "string" ? data : new Uint8Array(data));
    };
    socket.onerror = (event) => {
      event.preventDefault();
      this.#broke(event as ErrorEvent);
      // Where the client has gone before it was open, the platform says no more than this.
      if (socket.readyState === WebSocket.CONNECTING) this.#end();
    };
    socket.onclose = ({ code, reason }) => {
      this.#closeCode ??= code === 0 ? ABNORMAL : code;
      this.#closeReason ||= reason;
      this.#end();
    };
  }

  /** Whether it is closed, by whichever side. */
  get closed(): boolean {
    return this.#ended || this.#closing !== null;
  }

  /** The protocol that was agreed on; empty if none was. */
  get protocol(): string {
    return this.#protocol;
  }

  /** How many bytes were sent that the system has not taken yet. */
  get buffered(): number {
    return this.#output.size;
  }

  /** The client's address. */
  get peername(): Deno.NetAddr {
    return this.#peername;
  }

  /**
   * The code with which the other side has closed, 1005 if it gave none; 1006 if the connection broke. `null` as long
   * as neither has happened.
   */
  get closeCode(): number | null {
    return this.#closeCode;
  }

  /** The reason that the other side gave for closing; empty if it gave none. */
  get closeReason(): string {
    return this.#closeReason;
  }

  /** Waits until it is open. {@linkcode upgrade} has done this. */
  async opened(options?: WaitOptions): Promise<void> {
    await checkpoint(options);
    if (this.#socket.readyState === WebSocket.CONNECTING && !this.closed) {
      await this.#opening.wait(raisesTimeout, options);
    }
    if (this.#closing !== null) throw this.#closedError("open the WebSocket with");
    if (this.#ended) {
      throw this.#failed(
        "open the WebSocket with",
        this.#failure ?? { why: "the client is gone", ...coded(RESET) },
      );
    }
  }

  /**
   * Waits for a message.
   *
   * @returns The message, or `null` when the other side has closed.
   * @throws {StreamError} If a message, or all that are waiting, are too big; if the connection fails; with the code
   * "ECLOSED" if it was closed here, or is meanwhile.
   * @throws {TimeoutError} If none comes within `options.timeout`.
   */
  receive(options?: WaitOptions): Promise<WebSocketMessage | null> {
    const refused = checkpoint(options);
    if (refused !== undefined) return refused;
    if (this.#closing === "user") return Promise.reject(this.#closedError("receive from"));
    const message = this.#messages.shift();
    if (message !== undefined) {
      this.#size -= sizeOf(message);
      return Promise.resolve(message);
    }
    if (this.#failure !== null) return Promise.reject(this.#failed("receive from", this.#failure));
    if (this.#ended) return Promise.resolve(null);
    return this.#waiting.wait(raisesTimeout, options);
  }

  /**
   * Sends a message, and waits while too much is buffered. If that wait ends early, the message is sent all the
   * same. Messages are sent in the order of the calls.
   *
   * @throws {StreamError} If it is closed, or is meanwhile.
   * @throws {TimeoutError} If too much is still buffered after `options.timeout`.
   */
  send(message: string | Uint8Array, options?: WaitOptions): Promise<void> {
    const refused = checkpoint(options);
    if (refused !== undefined) return refused;
    if (typeof message !== "string" && !(message instanceof Uint8Array)) {
      return Promise.reject(
        new TypeError(`Cannot send: a string or a Uint8Array is needed, not ${shown(message)}`),
      );
    }
    if (this.closed) return Promise.reject(this.#closedError("send to"));
    try {
      this.#socket.send(message as Uint8Array<ArrayBuffer>);
    } catch (cause) {
      return Promise.reject(this.#failed("send to", failureOf(cause)));
    }
    return this.#output.wait(options);
  }

  /**
   * Waits until the system has all that was sent.
   *
   * @throws {StreamError} If it is closed, or is meanwhile.
   * @throws {TimeoutError} If it takes longer than `options.timeout`.
   */
  flush(options?: WaitOptions): Promise<void> {
    const refused = checkpoint(options);
    if (refused !== undefined) return refused;
    return this.closed
      ? Promise.reject(this.#closedError("flush what was sent to"))
      : this.#output.flush(options);
  }

  /**
   * Closes it, as soon as the system has all that was sent; messages that were not received are dropped, and who
   * waits for one gets an error. Again, it does nothing.
   *
   * @param code Why: 1000 is "normal"; 3000 to 4999 are the program's own.
   * @param reason Why in words, 123 bytes at the most.
   * @throws {RangeError} If the code may not be sent, or the reason is too long.
   */
  close(code = 1000, reason = ""): void {
    checkClose(code, reason);
    if (this.#closing === "user") return;
    this.#closing = "user";
    while (this.#messages.shift() !== undefined);
    this.#waiting.raiseAll(() => this.#closedError("receive from"));
    this.#output.fail(() => this.#closedError("send to"));
    this.#onlookers.notify();
    this.#shut(code, reason);
  }

  /** The server is closed: tells the client to go. Who receives gets `null` when it has. For the server. */
  retire(): void {
    if (this.closed) return;
    this.#closing = "server";
    this.#shut(1001, "the server is closed");
  }

  /** Settles when the platform has done with it. For the server. */
  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  /** Flushes if it can, then closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (!this.closed && this.buffered > 0) await this.flush();
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
    } finally {
      this.close();
    }
  }

  /** Receives until the other side closes. */
  async *[Symbol.asyncIterator](): AsyncIterator<WebSocketMessage> {
    for (let m = await this.receive(); m !== null; m = await this.receive()) yield m;
  }

  /** Tells {@linkcode EventLoop.prototype.addReader} and `lib.select` when a call would not wait. */
  [watching](direction: Direction, notify: (error?: Error) => void): Watch {
    if (direction === "write") return this.#output.watch(() => notify());
    return this.#onlookers.add(
      () => notify(),
      () => this.#messages.size > 0 || this.#ended || this.#closing === "user",
    );
  }

  #arrived(message: WebSocketMessage): void {
    if (isOver(this.#maxMessageSize, message)) {
      return this.#reject(1009, `a message is over ${this.#maxMessageSize} bytes`, "EMSGSIZE");
    }
    const receiver = this.#waiting.first;
    if (receiver !== null) return receiver.wake(message);
    this.#messages.push(message);
    this.#size += sizeOf(message);
    const limit = this.#maxQueuedSize;
    if (this.#size > limit || this.#messages.size > Math.max(FEW, limit / LEAST)) {
      const why = `more than ${limit} bytes are waiting to be received`;
      return this.#reject(1008, why, "ENOBUFS");
    }
    this.#onlookers.notify();
  }

  /** Ends it for what the other side does. */
  #reject(code: number, why: string, name: string): void {
    this.#failure ??= { why, ...coded(name) };
    this.#socket.close(code, why);
    this.#end();
  }

  /** The platform says that it failed. */
  #broke({ message, error }: ErrorEvent): void {
    if (this.#failure !== null || this.#ended) return;
    const found = failureOf(error ?? new Error(message || "the connection failed"));
    const [, name] = CODES.find(([pattern]) => pattern.test(found.why)) ?? [null, null];
    this.#failure = name === null ? found : { ...found, ...coded(name), cause: found.cause };
  }

  #shut(code: number, reason: string): void {
    // Once the platform closes it, it ends the connection at the next message of the client; what it has not handed
    // on until then is lost.
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.#output.whenDrained(() => this.#socket.close(code, reason));
  }

  #end(): void {
    if (NEVER_OPEN_OR_CLOSED.includes(this.#socket.readyState)) this.#gone.resolve();
    if (this.#ended) return;
    this.#ended = true;
    this.#opening.wakeAll();
    const failure = this.#failure;
    if (failure === null) this.#waiting.wakeAll(null);
    else this.#waiting.raiseAll(() => this.#failed("receive from", failure));
    this.#output.end(() =>
      this.#failed("send to", failure ?? { why: "the client has closed", ...coded("EPIPE") })
    );
    this.#onlookers.notify();
  }

  #describe(call: string): string {
    return `WebSocketConnection.${call}() with ${shownAddress(this.#peername)}`;
  }

  #closedError(what: string): StreamError {
    return this.#failed(what, { why: "the WebSocket is closed", ...coded("ECLOSED") });
  }

  #failed(what: string, { why, ...details }: Failure): StreamError {
    const address = shownAddress(this.#peername);
    return new StreamError(`Cannot ${what} ${address}: ${why}`, { ...details, address });
  }
}

/** Nothing more comes of a WebSocket of the platform that has ended in one of these states. */
const NEVER_OPEN_OR_CLOSED: readonly number[] = [WebSocket.CONNECTING, WebSocket.CLOSED];
const RESET = "ECONNRESET";
/** What the platform says, and what it is. It closes the connection without a word to the client. */
const CODES: [RegExp, string][] = [
  [/Unexpected EOF/, RESET],
  [/No response from ping/, "ETIMEDOUT"],
  [/Frame too large/, "EMSGSIZE"],
  [/[Rr]eserved bits|^Invalid|Control frame|Ping frame/, "EPROTO"],
];

/** Whether a message has more bytes than that. A text is only encoded to be measured if it may have. */
function isOver(limit: number, message: WebSocketMessage): boolean {
  if (message.length > limit) return true;
  return typeof message === "string" && message.length * 3 > limit && sizeOf(message) > limit;
}

function sizeOf(message: WebSocketMessage): number {
  return typeof message === "string" ? encoder.encode(message).length : message.length;
}

function checkClose(code: number, reason: string): void {
  const sendable = Number.isInteger(code) && (code >= 3_000 && code <= 4_999 ||
    code >= 1_000 && code <= 1_014 && (code < 1_004 || code > 1_006));
  if (!sendable) {
    throw new RangeError(
      `Cannot close: the code must be from 1000 to 1003, 1007 to 1014 or 3000 to 4999, not ${code}`,
    );
  }
  if (typeof reason !== "string") {
    throw new TypeError(`Cannot close: the reason must be a string, not ${shown(reason)}`);
  }
  if (encoder.encode(reason).length > MAX_REASON) {
    throw new RangeError(`Cannot close: the reason must be ${MAX_REASON} bytes at the most`);
  }
}
