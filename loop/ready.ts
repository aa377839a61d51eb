import { Ring } from "./ring.ts";
import type { Strand } from "./strand.ts";

/** Something that the loop will run: a callback, or a task to be resumed. */
export interface Ready {
  /** Who is given the baton while this runs; `null` for a callback, which runs to its end at once. */
  readonly strand: Strand | null;
  /** Runs the callback, or settles the promise that the strand waits on. */
  run(): void;
}

/** What is ready: first in first out, or what is ready at the same time in the order that `choose` draws. */
export function readyQueue(choose: ((n: number) => number) | null): Ring<Ready> {
  return choose === null ? new Ring() : new DrawnRing(choose);
}

/** A batch is always finished before what came later has its turn, so no draw can starve an entry. */
class DrawnRing extends Ring<Ready> {
  readonly #choose: (n: number) => number;
  #batch = 0;

  constructor(choose: (n: number) => number) {
    super();
    this.#choose = choose;
  }

  override peek(): Ready | undefined {
    if (this.#batch === 0) this.#draw();
    return super.peek();
  }

  override shift(): Ready | undefined {
    if (this.#batch === 0) this.#draw();
    if (this.#batch > 0) this.#batch--;
    return super.shift();
  }

  /** Shuffles all that is ready now. */
  #draw(): void {
    this.#batch = this.size;
    for (let left = this.#batch; left > 1; left--) this.swap(left - 1, this.#choose(left));
  }
}
