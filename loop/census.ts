import { OPEN, OUTSIDE } from "./wait.ts";

/** Who is there and who waits for what, as counts: all that the loop asks when nothing is ready. */
export class Census {
  /** Tasks that have started and not ended; daemons too. */
  alive = 0;
  /** Those of them that are no daemons. */
  tasks = 0;
  /** Strands that wait in some blocking call; the main one too. */
  blocked = 0;
  /** Waits, by who can end them. */
  readonly waits: [task: number, open: number, outside: number] = [0, 0, 0];
  /** What keeps `run()` going though no task waits for it: readers, calls out in a pool. */
  holds = 0;
  /** What may wake a task at any time: signal handlers, exposed ports. */
  listeners = 0;

  /** Whether something else than another task may wake a task. */
  get hopeful(): boolean {
    return this.waits[OPEN] + this.waits[OUTSIDE] + this.holds + this.listeners > 0;
  }
}
