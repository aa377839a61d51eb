import { Buffer } from "node:buffer";
import type { Slab } from "./_slab.ts";
import type { Delimiter } from "./_delimiter.ts";

const NONE = new Uint8Array(0);
/** From how many bytes on it pays to make a text, or a copy, of many at once. */
const MANY = 1_024;
/** How many bytes are made a text, or copied, at once: what is kept of them keeps all of them. */
const BLOCK = 16_384;
/** How long a piece is at the most that shares a copy with others. */
const SHORT = 512;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * What was read from a stream and not taken yet, in one piece.
 *
 * It remembers how far a search went. So a delimiter that does not come for a long time costs one look at each
 * byte, however small the pieces that arrive, and however often the search is given up and begun anew.
 *
 * A stream is often taken apart into many little pieces. What costs is to begin each search, copy and decoding
 * anew, not the bytes. So blocks of what is there are made a text, in which the platform searches several times
 * faster, and are copied at once; pieces are cut out of these.
 */
export class ByteBuffer {
  #bytes: Uint8Array = NONE;
  #start = 0;
  #end = 0;
  /** What was looked for last, how far, and how much of it the bytes before that place match. */
  #sought: Delimiter | null = null;
  #position = 0;
  #matched = 0;
  /** A block of the bytes as text, a character each, and where it begins. */
  #text = "";
  #textStart = 0;
  /** Where that ends which is known to be ASCII, and where that ends which is known not to be throughout. */
  #asciiEnd = 0;
  #mixedEnd = 0;
  /** A copy of a block of the bytes, and where it begins. */
  #copy: Uint8Array = NONE;
  #copyStart = 0;

  readonly #slab: Slab;

  constructor(slab: Slab) {
    this.#slab = slab;
  }

  get size(): number {
    return this.#end - this.#start;
  }

  /** Adds bytes that belong to somebody else. */
  append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** Adds bytes that nobody else uses: if there are no others, without copying them. */
  adopt(bytes: Uint8Array): void {
    if (this.size > 0) return this.append(bytes);
    this.#bytes = bytes;
    this.#start = 0;
    this.#end = bytes.length;
    this.#forgetBlocks();
  }

  /** Takes out the first `n` bytes. They belong to who takes them. */
  take(n: number): Uint8Array {
    const whole = this.#start === 0 && n === this.#end;
    const taken = whole ? this.#bytes.subarray(0, n) : this.#copied(n);
    if (whole) this.#bytes = NONE;
    this.skip(n);
    return taken;
  }

  /** Takes out the first `n` bytes, and returns the first `length` of them as text. They end a line. */
  takeLine(length: number, n: number): string {
    const start = this.#start;
    const end = start + n;
    const at = start - this.#textStart;
    if (end > this.#asciiEnd && end > this.#mixedEnd) this.#classify(end);
    const line = at >= 0 && end <= this.#asciiEnd
      ? this.#text.slice(at, at + length)
      : decoder.decode(this.#bytes.subarray(start, start + length));
    this.skip(n);
    return line;
  }

  /** Shows the first `n` bytes, until anything else is done with the buffer. */
  peek(n: number): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#start + n);
  }

  /** The byte at `index`. */
  at(index: number): number {
    return this.#bytes[this.#start + index];
  }

  /** Drops the first `n` bytes. */
  skip(n: number): void {
    this.#start += n;
    this.#sought = null;
    if (this.#start < this.#end) return;
    this.#start = this.#end = 0;
    this.#forgetBlocks();
  }

  clear(): void {
    this.#bytes = NONE;
    this.skip(this.size);
  }

  /** Where the first `delimiter` ends, or -1. */
  find(delimiter: Delimiter): number {
    if (this.#sought === null || !this.#sought.equals(delimiter)) {
      this.#position = this.#matched = 0;
    }
    this.#sought = delimiter;
    const { bytes: wanted, fallback } = delimiter;
    const bytes = this.#bytes;
    const end = this.#end;
    let matched = this.#matched;
    let at = this.#start + this.#position;
    while (matched < wanted.length && at < end) {
      if (matched === 0) {
        at = this.#indexOf(wanted[0], delimiter.first, at);
        if (at === end) break;
        matched = 1;
      } else {
        const byte = bytes[at];
        while (matched > 0 && byte !== wanted[matched]) matched = fallback[matched];
        if (byte === wanted[matched]) matched++;
      }
      at++;
    }
    this.#position = at - this.#start;
    this.#matched = matched;
    return matched === wanted.length ? this.#position : -1;
  }

  /** Where the first match of `regex` within the first `limit` bytes ends, or -1. */
  match(regex: RegExp, limit: number): number {
    const end = Math.min(this.#end, this.#start + limit);
    if (this.#start < this.#textStart || this.#start > this.#textEnd) {
      this.#textOf(this.#start, end);
    } else if (end > this.#textEnd) {
      this.#text += this.#latin1(this.#textEnd, end);
    }
    const found = regex.exec(
      this.#text.slice(this.#start - this.#textStart, end - this.#textStart),
    );
    return found === null ? -1 : found.index + found[0].length;
  }

  get #textEnd(): number {
    return this.#textStart + this.#text.length;
  }

  /** Where `byte` is from there on, or the end. */
  #indexOf(byte: number, character: string, from: number): number {
    const bytes = this.#bytes;
    const end = this.#end;
    for (let at = from; at < end;) {
      if (at < this.#textStart || at >= this.#textEnd) {
        if (end - at < MANY) {
          while (at < end && bytes[at] !== byte) at++;
          return at;
        }
        this.#textOf(at, Math.min(at + BLOCK, end));
      }
      const found = this.#text.indexOf(character, at - this.#textStart);
      if (found >= 0) return this.#textStart + found;
      at = this.#textEnd;
    }
    return end;
  }

  /** Makes the bytes from `start` to `end` the block of text. */
  #textOf(start: number, end: number): void {
    this.#text = this.#latin1(start, end);
    this.#textStart = start;
    this.#asciiEnd = this.#mixedEnd = start;
  }

  #latin1(start: number, end: number): string {
    const bytes = this.#bytes;
    return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1");
  }

  /** Finds out whether the lines that stand in the block of text from the start on are ASCII, `end` among them. */
  #classify(end: number): void {
    const start = this.#start;
    const until = start >= this.#textStart ? this.#textStart + this.#text.lastIndexOf("\n") + 1 : 0;
    if (until < end) {
      this.#mixedEnd = end;
      return;
    }
    // What is not ASCII decodes to fewer units than it has bytes, or to U+FFFD, which no byte is.
    const decoded = decoder.decode(this.#bytes.subarray(start, until));
    const at = start - this.#textStart;
    const ascii = decoded === this.#text.slice(at, at + until - start);
    if (ascii) this.#asciiEnd = until;
    else this.#mixedEnd = until;
  }

  /** A copy of the first `n` bytes. */
  #copied(n: number): Uint8Array {
    const start = this.#start;
    if (n > SHORT) return this.#bytes.slice(start, start + n);
    let at = start - this.#copyStart;
    // Its length is 0 if somebody has transferred the memory.
    if (at + n > this.#copy.length || at < 0) {
      if (this.size < MANY) return this.#slab.copy(this.#bytes, start, start + n);
      this.#copy = this.#bytes.slice(start, Math.min(start + BLOCK, this.#end));
      this.#copyStart = start;
      at = 0;
    }
    return new Uint8Array(this.#copy.buffer, at, n);
  }

  #forgetBlocks(): void {
    this.#text = "";
    this.#copy = NONE;
    this.#textStart =
      this.#copyStart =
      this.#asciiEnd =
      this.#mixedEnd =
        0;
  }

  /** Makes room for `n` more, at a cost that is constant per byte in the long run. */
  #reserve(n: number): void {
    const { size } = this;
    const needed = size + n;
    if (this.#end + n <= this.#bytes.length) return;
    // Moving is worth it once more bytes were taken out than are to be moved.
    if (needed <= this.#bytes.length && this.#start >= size) {
      this.#bytes.copyWithin(0, this.#start, this.#end);
    } else {
      const bytes = new Uint8Array(Math.max(needed, 2 * size, 1024));
      bytes.set(this.#bytes.subarray(this.#start, this.#end));
      this.#bytes = bytes;
    }
    this.#start = 0;
    this.#end = size;
    this.#forgetBlocks();
  }
}
