import { shown } from "../loop/arguments.ts";
import type { ByteBuffer } from "./_byte_buffer.ts";
import { BufferLimitError, IncompleteReadError } from "./stream_error.ts";
import { Delimiter } from "./_delimiter.ts";
import { checkSize } from "./_size.ts";

const NOTHING = new Uint8Array(0);
const NEWLINE = new Delimiter("\n");
const CARRIAGE_RETURN = 13;

/** What a reader waits for. */
export interface Demand<T> {
  /**
   * Takes it out of the buffer.
   *
   * @param ended Whether nothing more will come.
   * @param address What the stream is connected to, for errors.
   * @returns `undefined` if it has not come yet; never once the stream has ended.
   * @throws If it cannot be had. The buffer is whole then.
   */
  take(
    buffer: ByteBuffer,
    ended: boolean,
    address: () => string | undefined,
  ): T | null | undefined;
}

/** Whatever is there, `max` bytes at the most. */
export class Anything implements Demand<Uint8Array> {
  constructor(readonly max: number) {
    checkSize("read", max, 1);
  }

  take(buffer: ByteBuffer, ended: boolean): Uint8Array | null | undefined {
    if (buffer.size > 0) return buffer.take(Math.min(this.max, buffer.size));
    return ended ? null : undefined;
  }
}

/** Whatever is there, put into memory of whoever asks. Says how many bytes that were. */
export class Into implements Demand<number> {
  constructor(readonly target: Uint8Array) {
    if (!(target instanceof Uint8Array)) {
      throw new TypeError(`Cannot read into memory: a Uint8Array is needed, not ${shown(target)}`);
    }
    checkSize("read into memory", target.length, 1);
  }

  take(buffer: ByteBuffer, ended: boolean): number | null | undefined {
    const count = Math.min(this.target.length, buffer.size);
    if (count === 0) return ended ? null : undefined;
    this.put(buffer.peek(count));
    buffer.skip(count);
    return count;
  }

  /** Puts bytes that fit into the memory. */
  put(bytes: Uint8Array): void {
    this.target.set(bytes);
  }
}

/** That many bytes; fewer at the end. */
export class Exactly implements Demand<Uint8Array> {
  constructor(readonly count: number) {
    checkSize("read", count, 0);
  }

  take(buffer: ByteBuffer, ended: boolean): Uint8Array | null | undefined {
    if (buffer.size >= this.count) return this.count === 0 ? NOTHING : buffer.take(this.count);
    if (!ended) return undefined;
    return buffer.size === 0 ? null : buffer.take(buffer.size);
  }
}

/** Everything up to the end of something that is searched. */
abstract class Until implements Demand<Uint8Array> {
  constructor(readonly limit: number) {}

  /** Where it ends, or -1. */
  protected abstract search(buffer: ByteBuffer): number;

  take(
    buffer: ByteBuffer,
    ended: boolean,
    address: () => string | undefined,
  ): Uint8Array | null | undefined {
    const end = this.search(buffer);
    if (end > this.limit || (end < 0 && buffer.size >= this.limit)) {
      throw new BufferLimitError(this.limit, { address: address() });
    }
    if (end >= 0) return end === 0 ? NOTHING : buffer.take(end);
    if (!ended) return undefined;
    if (buffer.size === 0) return null;
    throw new IncompleteReadError(buffer.take(buffer.size), { address: address() });
  }
}

/** Everything up to and with a delimiter. */
export class UntilDelimiter extends Until {
  constructor(readonly delimiter: Delimiter, limit: number) {
    super(limit);
  }

  protected override search(buffer: ByteBuffer): number {
    return buffer.find(this.delimiter);
  }
}

/** Everything up to the end of a match. */
export class UntilMatch extends Until {
  readonly #regex: RegExp;

  constructor(regex: RegExp, limit: number) {
    super(limit);
    if (!(regex instanceof RegExp)) {
      throw new TypeError(`Cannot read until a match: a RegExp is needed, not ${shown(regex)}`);
    }
    // One that keeps no place of its own from one search to the next.
    this.#regex = new RegExp(regex.source, regex.flags.replaceAll(/[gy]/g, ""));
  }

  protected override search(buffer: ByteBuffer): number {
    return buffer.match(this.#regex, this.limit);
  }
}

/** A line of text, without what ends it, as an iterator gives it. */
export class TextLine implements Demand<IteratorResult<string, undefined>> {
  readonly #limit: () => number;

  /**
   * @param maxLength How many bytes it may have.
   * @param otherwise The same, if that is not given.
   */
  constructor(maxLength: number | undefined, otherwise: () => number) {
    if (maxLength !== undefined) checkSize("read lines", maxLength, 0);
    this.#limit = maxLength === undefined ? otherwise : () => maxLength;
  }

  take(
    buffer: ByteBuffer,
    ended: boolean,
    address: () => string | undefined,
  ): IteratorResult<string, undefined> | undefined {
    const limit = this.#limit();
    const end = buffer.find(NEWLINE);
    if (end < 0) {
      // One byte over the limit may be the first one of "\r\n".
      if (buffer.size > limit + (ended ? 0 : 1)) {
        throw new BufferLimitError(limit, { address: address() });
      }
      if (!ended) return undefined;
      if (buffer.size === 0) return { value: undefined, done: true };
      return { value: buffer.takeLine(buffer.size, buffer.size), done: false };
    }
    const length = end > 1 && buffer.at(end - 2) === CARRIAGE_RETURN ? end - 2 : end - 1;
    if (length > limit) throw new BufferLimitError(limit, { address: address() });
    return { value: buffer.takeLine(length, end), done: false };
  }
}
