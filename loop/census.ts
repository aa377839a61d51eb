import type { Strand } from "./strand.ts";
import { OPEN, OUTSIDE } from "./wait.ts";

/** Who is there and who waits for what: all that the loop asks when nothing is ready. */
export class Census {
  /** Tasks that have started and not ended, without the daemons. */
  tasks = 0;
  /** Tasks that await a foreign promise and nothing else; daemons too. */
  foreign = 0;
  /** Waits that something else than a task can end, by what can. */
  readonly waits: { [OPEN]: number; [OUTSIDE]: number } = { [OPEN]: 0, [OUTSIDE]: 0 };
  /** What keeps `run()` going though no task waits for it: readers, calls out in a pool. */
  holds = 0;
  /** What may wake a task at any time: signal handlers, exposed ports. */
  listeners = 0;
  #newest: Strand | null = null;

  /** Whether anybody waits for something outside the loop. */
  get outside(): boolean {
    return this.foreign + this.waits[OUTSIDE] + this.holds + this.listeners > 0;
  }

  /** Whether something else than another task may wake a task. */
  get hopeful(): boolean {
    return this.waits[OPEN] > 0 || this.outside;
  }

  /** Every strand that has started and not ended, but the main one, in the order in which they were started. */
  strands(): Strand[] {
    const strands: Strand[] = [];
    for (let strand = this.#newest; strand !== null; strand = strand.next) strands.push(strand);
    return strands.reverse();
  }

  add(strand: Strand): void {
    if (!strand.daemon) this.tasks++;
    strand.next = this.#newest;
    if (this.#newest !== null) this.#newest.previous = strand;
    this.#newest = strand;
  }

  remove(strand: Strand): void {
    if (!strand.daemon) this.tasks--;
    if (strand.previous !== null) strand.previous.next = strand.next;
    else this.#newest = strand.next;
    if (strand.next !== null) strand.next.previous = strand.previous;
    strand.previous = strand.next = null;
    if (strand.foreign) this.home(strand);
  }

  /** `strand` holds the baton, and no microtask is left: unless it waits here too, it awaits a foreign promise. */
  abroad(strand: Strand): void {
    if (strand.blocked || strand.foreign) return;
    strand.foreign = true;
    this.foreign++;
  }

  /** `strand`, which awaited a foreign promise, is back. */
  home(strand: Strand): void {
    strand.foreign = false;
    this.foreign--;
  }
}
