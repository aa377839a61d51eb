import { Ring } from "./ring.ts";
import type { Strand } from "./strand.ts";

/** Something that the loop will run: a callback, or a task to be resumed. */
export interface Ready {
  /** Who is given the baton while this runs; `null` for a callback, which runs to its end at once. */
  readonly strand: Strand | null;
  /** Runs the callback, or settles the promise that the strand waits on. */
  run(): void;
}

/**
 * What is ready, first in first out. With `choose`, entries that are ready at the same time leave in the order
 * it draws; a batch is always finished before what came later has its turn, so no draw can starve an entry.
 */
export class ReadyQueue {
  readonly #ring = new Ring<Ready>();
  readonly #choose: ((n: number) => number) | null;
  #batch = 0;

  constructor(choose: ((n: number) => number) | null) {
    this.#choose = choose;
  }

  get size(): number {
    return this.#ring.size;
  }

  push(entry: Ready): void {
    this.#ring.push(entry);
  }

  /** The entry that {@linkcode shift} takes next. */
  peek(): Ready | undefined {
    if (this.#choose !== null && this.#batch === 0) this.#draw();
    return this.#ring.peek();
  }

  shift(): Ready | undefined {
    if (this.#choose !== null) {
      if (this.#batch === 0) this.#draw();
      if (this.#batch > 0) this.#batch--;
    }
    return this.#ring.shift();
  }

  some(test: (entry: Ready) => boolean): boolean {
    for (let i = 0; i < this.#ring.size; i++) if (test(this.#ring.at(i))) return true;
    return false;
  }

  /** Shuffles all that is ready now; what comes later waits for the next batch. */
  #draw(): void {
    this.#batch = this.#ring.size;
    for (let left = this.#batch; left > 1; left--) {
      this.#ring.swap(left - 1, this.#choose!(left));
    }
  }
}
