/**
 * Where a loop gets its time from. Every delay, timeout and timer of the library goes through the
 * loop's clock, so a test that gives its loop a {@linkcode VirtualClock} never has to wait.
 */
export interface Clock {
  /** The time now, in milliseconds from any fixed point. Never goes back. */
  time(): number;
  /**
   * Called when a loop has nothing to do until `when`: calls `wake` once it is `when` or later.
   *
   * @param keep Whether the program stays alive for it; `false` if nobody waits but daemons and their like.
   * @returns A function that takes the call back.
   */
  wakeAt(when: number, wake: () => void, keep?: boolean): () => void;
  /** Whether time must stand still while a task waits for something outside the loop. */
  readonly virtual: boolean;
}

// Taken now: a program may put functions of its own in their place, which may ask this clock.
const { setTimeout, clearTimeout, setImmediate, clearImmediate } = globalThis;
const { unrefTimer } = Deno;

/** The longest delay that the platform's timers take; longer ones fire at once. */
const LONGEST = 2 ** 31 - 1;

/** Real, monotonic time. One for the thread: it holds nothing. */
export const systemClock: Clock = {
  virtual: false,
  time: () => performance.now(),
  wakeAt(when, wake, keep) {
    // A wake-up that comes early because the delay was cut does no harm: the loop finds nothing due
    // and asks again, which chains delays of any length.
    const delay = Math.min(Math.max(when - performance.now(), 0), LONGEST);
    const timer = setTimeout(wake, delay);
    if (keep === false) unrefTimer(timer);
    return () => clearTimeout(timer);
  },
};

/**
 * A clock that stands still while any task can run, and jumps to the next timer as soon as every task
 * waits. A program that sleeps for an hour is tested in microseconds, in the order in which it would
 * have happened.
 *
 * Time does not move while a task awaits a foreign promise or real I/O.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { EventLoop, sleep, spawn, VirtualClock } from "@evergreen/evergreen";
 *
 * const loop = new EventLoop({ clock: new VirtualClock() });
 * const log: string[] = [];
 * spawn(async () => (await sleep(3_600_000), log.push("an hour")));
 * spawn(async () => (await sleep(1_000), log.push("a second")));
 * await loop.run();
 * assertEquals(log, ["a second", "an hour"]);
 * assertEquals(loop.time(), 3_600_000);
 * loop.destroy();
 * ```
 */
export class VirtualClock implements Clock {
  /** Always true. */
  readonly virtual = true;
  #now: number;

  /**
   * Makes a clock that stands still.
   *
   * @param start What the clock shows first, in milliseconds.
   */
  constructor(start = 0) {
    this.#now = start;
  }

  /** The time now, in milliseconds. */
  time(): number {
    return this.#now;
  }

  /** Moves the clock to `when` and calls `wake`, after the platform has had a turn with its own work. */
  wakeAt(when: number, wake: () => void): () => void {
    const jump = setImmediate(() => {
      if (when > this.#now) this.#now = when;
      wake();
    });
    return () => clearImmediate(jump);
  }
}
