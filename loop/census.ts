import { OPEN, OUTSIDE } from "./wait.ts";

/** Who is there and who waits for what, as counts: all that the loop asks when nothing is ready. */
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

  /** Whether something else than another task may wake a task. */
  get hopeful(): boolean {
    return this.foreign + this.waits[OPEN] + this.waits[OUTSIDE] + this.holds + this.listeners > 0;
  }
}
