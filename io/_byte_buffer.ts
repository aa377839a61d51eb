import type { Slab } from "./_slab.ts";
import type { Delimiter } from "./_delimiter.ts";

const NONE = new Uint8Array(0);
/** How many bytes a loop looks through faster than the platform's search starts. */
const SHORT = 48;

/**
 * What was read from a stream and not taken yet, in one piece.
 *
 * It remembers how far a search went. So a delimiter that does not come for a long time costs one look at each
 * byte, however small the pieces that arrive, and however often the search is given up and begun anew.
 */
export class ByteBuffer {
  #bytes: Uint8Array = NONE;
  #start = 0;
  #end = 0;
  /** What was looked for last, how far, and how much of it the bytes before that place match. */
  #sought: Delimiter | null = null;
  #position = 0;
  #matched = 0;
  /** The bytes as text, as far as a regex has asked for them. */
  #text: string | null = null;

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
  }

  /** Takes out the first `n` bytes. They belong to who takes them. */
  take(n: number): Uint8Array {
    const start = this.#start;
    const whole = start === 0 && n === this.#end;
    const taken = whole
      ? this.#bytes.subarray(0, n)
      : this.#slab.copy(this.#bytes, start, start + n);
    if (whole) this.#bytes = NONE;
    this.skip(n);
    return taken;
  }

  /** Shows the first `n` bytes, until anything else is done with the buffer. */
  peek(n: number): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#start + n);
  }

  /** Drops the first `n` bytes. */
  skip(n: number): void {
    this.#start += n;
    if (this.#start >= this.#end) this.#start = this.#end = 0;
    this.#sought = this.#text = null;
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
        at = this.#indexOf(wanted[0], at);
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
    const known = this.#text ?? "";
    this.#text = known + latin1(this.#bytes.subarray(this.#start + known.length, this.#end));
    const found = regex.exec(this.#text.length > limit ? this.#text.slice(0, limit) : this.#text);
    return found === null ? -1 : found.index + found[0].length;
  }

  #indexOf(byte: number, from: number): number {
    const bytes = this.#bytes;
    const end = this.#end;
    const near = Math.min(from + SHORT, end);
    for (let at = from; at < near; at++) if (bytes[at] === byte) return at;
    if (near === end) return end;
    // Behind the end there may be old bytes, which the platform's search must not go through each time.
    const found = bytes.subarray(near, end).indexOf(byte);
    return found < 0 ? end : near + found;
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
  }
}

/** Bytes as text of as many characters. The platform's "latin1" decoder is another one, windows-1252. */
function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return text;
}
