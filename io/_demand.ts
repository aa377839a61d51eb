import { shown } from "../loop/arguments.ts";
import type { ByteBuffer } from "./_byte_buffer.ts";
import { BufferLimitError, IncompleteReadError } from "./stream_error.ts";
import type { Delimiter } from "./_delimiter.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const NOTHING = new Uint8Array(0);

/** What a reader waits for. */
export interface Demand<T> {
  /**
   * Takes it out of the buffer.
   *
   * @param ended Whether nothing more will come.
   * @returns `undefined` if it has not come yet; never once the stream has ended.
   * @throws If it cannot be had. The buffer is whole then.
   */
  take(buffer: ByteBuffer, ended: boolean): T | null | undefined;
}

/** Whatever is there, `max` bytes at the most. */
export class Anything implements Demand<Uint8Array> {
  constructor(readonly max: number) {}

  take(buffer: ByteBuffer, ended: boolean): Uint8Array | null | undefined {
    if (buffer.size > 0) return buffer.take(Math.min(this.max, buffer.size));
    return ended ? null : undefined;
  }
}

/** That many bytes; fewer at the end. */
export class Exactly implements Demand<Uint8Array> {
  constructor(readonly count: number) {}

  take(buffer: ByteBuffer, ended: boolean): Uint8Array | null | undefined {
    if (buffer.size >= this.count) return this.count === 0 ? NOTHING : buffer.take(this.count);
    if (!ended) return undefined;
    return buffer.size === 0 ? null : buffer.take(buffer.size);
  }
}

/** Everything up to the end of something that is searched. */
export class Until implements Demand<Uint8Array> {
  constructor(
    readonly search: (buffer: ByteBuffer) => number,
    readonly limit: number,
  ) {}

  take(buffer: ByteBuffer, ended: boolean): Uint8Array | null | undefined {
    const end = this.search(buffer);
    if (end > this.limit || (end < 0 && buffer.size >= this.limit)) {
      throw new BufferLimitError(this.limit);
    }
    if (end >= 0) return end === 0 ? NOTHING : buffer.take(end);
    if (!ended) return undefined;
    if (buffer.size === 0) return null;
    throw new IncompleteReadError(buffer.take(buffer.size));
  }
}

/** A line of text, without what ends it. */
export class TextLine implements Demand<string> {
  constructor(readonly newline: Delimiter, readonly limit: number) {}

  take(buffer: ByteBuffer, ended: boolean): string | null | undefined {
    const end = buffer.find(this.newline);
    if (end < 0) {
      // One byte over the limit may be the first one of "\r\n".
      if (buffer.size > this.limit + (ended ? 0 : 1)) throw new BufferLimitError(this.limit);
      if (!ended) return undefined;
      return buffer.size === 0 ? null : text(buffer, buffer.size, buffer.size);
    }
    const upTo = buffer.peek(end);
    const length = upTo[end - 2] === 13 ? end - 2 : end - 1;
    if (length > this.limit) throw new BufferLimitError(this.limit);
    return text(buffer, length, end);
  }
}

function text(buffer: ByteBuffer, length: number, consumed: number): string {
  const decoded = decoder.decode(buffer.peek(length));
  buffer.skip(consumed);
  return decoded;
}

/** A regex that keeps no place of its own from one search to the next. */
export function ownRegex(regex: RegExp): RegExp {
  if (!(regex instanceof RegExp)) {
    throw new TypeError(`Cannot read until a match: a RegExp is needed, not ${shown(regex)}`);
  }
  return new RegExp(regex.source, regex.flags.replaceAll(/[gy]/g, ""));
}
