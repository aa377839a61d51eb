import { deserialize, serialize } from "node:v8";

/** How long the number is that says how long a frame is. */
const HEADER = 4;

/** One message as it goes over a pipe: its length, and itself as structured clone writes it. */
export function encodeFrame(message: unknown): Uint8Array {
  const body = serialize(message);
  const frame = new Uint8Array(HEADER + body.length);
  new DataView(frame.buffer).setUint32(0, body.length, true);
  frame.set(body, HEADER);
  return frame;
}

/** Puts the pieces that a pipe brings together to messages. */
export class FrameReader {
  readonly #header = new Uint8Array(HEADER);
  #body: Uint8Array | null = null;
  #filled = 0;

  /** All messages that are complete with `chunk`. */
  *read(chunk: Uint8Array): Iterable<unknown> {
    let rest = chunk;
    while (true) {
      if (this.#body === null) {
        rest = this.#fill(this.#header, rest);
        if (this.#filled < HEADER) return;
        this.#body = new Uint8Array(new DataView(this.#header.buffer).getUint32(0, true));
        this.#filled = 0;
      }
      rest = this.#fill(this.#body, rest);
      if (this.#filled < this.#body.length) return;
      const message = deserialize(this.#body);
      this.#body = null;
      this.#filled = 0;
      yield message;
    }
  }

  /** Moves as much as fits from `source` into `target`; returns what is left of it. */
  #fill(target: Uint8Array, source: Uint8Array): Uint8Array {
    const part = source.subarray(0, target.length - this.#filled);
    target.set(part, this.#filled);
    this.#filled += part.length;
    return source.subarray(part.length);
  }
}
