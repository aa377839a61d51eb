import { shown } from "../loop/arguments.ts";

const encoder = new TextEncoder();

/** Bytes that are looked for in a stream, and what is known about them. */
export class Delimiter {
  /** The string that it was made of. */
  readonly source: string | null;
  readonly bytes: Uint8Array;
  /** The first byte as a character. */
  readonly first: string;
  /** For each length matched: how much is still matched when the next byte does not fit (Knuth, Morris, Pratt). */
  readonly fallback: Uint32Array;

  constructor(delimiter: string | Uint8Array) {
    if (typeof delimiter !== "string" && !(delimiter instanceof Uint8Array)) {
      throw new TypeError(
        `Cannot read until a delimiter: it must be a string or a Uint8Array, not ${
          shown(delimiter)
        }`,
      );
    }
    this.source = typeof delimiter === "string" ? delimiter : null;
    this.bytes = typeof delimiter === "string" ? encoder.encode(delimiter) : delimiter.slice();
    if (this.bytes.length === 0) {
      throw new RangeError("Cannot read until a delimiter: it must not be empty");
    }
    this.first = String.fromCharCode(this.bytes[0]);
    this.fallback = fallbackOf(this.bytes);
  }

  equals(other: Delimiter): boolean {
    if (this === other) return true;
    const { bytes } = this;
    return bytes.length === other.bytes.length && bytes.every((byte, i) => byte === other.bytes[i]);
  }
}

function fallbackOf(bytes: Uint8Array): Uint32Array {
  const fallback = new Uint32Array(bytes.length + 1);
  for (let i = 1, matched = 0; i < bytes.length; i++) {
    while (matched > 0 && bytes[i] !== bytes[matched]) matched = fallback[matched];
    if (bytes[i] === bytes[matched]) matched++;
    fallback[i + 1] = matched;
  }
  return fallback;
}
