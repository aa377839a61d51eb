/** How much memory pieces share if they are little. */
const SIZE = 2_048;
/** How many bytes are copied one by one faster than a view of them is made. */
const FEW = 64;
const NONE = new Uint8Array(0);

/**
 * Makes copies of little pieces of one stream that share memory: making memory takes many times longer than copying.
 * Should somebody transfer that memory, it is made anew.
 */
export class Slab {
  #memory: Uint8Array = NONE;
  #used = 0;

  /** A copy of some bytes, for whoever reads the stream. */
  copy(bytes: Uint8Array, start: number, end: number): Uint8Array {
    const size = end - start;
    if (size > SIZE / 4) return bytes.slice(start, end);
    if (this.#used + size > this.#memory.length) {
      this.#memory = new Uint8Array(SIZE);
      this.#used = 0;
    }
    const memory = this.#memory;
    const at = this.#used;
    this.#used += size;
    // Making views is what this costs, in time and in garbage. subarray() takes half as long again.
    if (size > FEW) {
      memory.set(new Uint8Array(bytes.buffer, bytes.byteOffset + start, size), at);
    } else {
      for (let i = 0; i < size; i++) memory[at + i] = bytes[start + i];
    }
    return new Uint8Array(memory.buffer, at, size);
  }
}
