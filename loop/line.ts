import type { Reason } from "./blocked.ts";
import { Scheduler } from "./scheduler.ts";
import { type Expiry, TASK, Wait, type Waiter, type WaitOptions } from "./wait.ts";

/**
 * The line of waiters: those who wait for the same thing, the longest first. Everything that blocks until
 * another task does something stands on one of these.
 *
 * A waiter that is woken, killed, timed out or aborted leaves its line in that same step, from whichever
 * place, in O(1): so whom {@linkcode first} gives can be served at once, and what it is given is delivered.
 */
export class Line<T> implements Reason {
  #first: Waiter | null = null;
  #last: Waiter | null = null;
  #size = 0;

  /** @param describe What its waiters wait for, as a deadlock report says it. */
  constructor(readonly describe: () => string) {}

  /** How many wait. */
  get size(): number {
    return this.#size;
  }

  /** Who waits longest. */
  get first(): Waiter<T> | null {
    return this.#first;
  }

  /**
   * Makes the calling task wait at the end of the line.
   *
   * @param expiry What the call does when its timeout passes.
   * @param offer What it brings along for who serves it.
   */
  wait(expiry: Expiry, options?: WaitOptions, offer?: unknown): Promise<T> {
    if (options === undefined) {
      const wait = Wait.begin<T>(Scheduler.current(), this, TASK, offer);
      this.add(wait);
      return wait.promise;
    }
    if (options.timeout === 0) return expiry.atOnce();
    const wait = Wait.begin<T>(Scheduler.current(), this, TASK, offer);
    this.add(wait);
    wait.limit(options, expiry);
    return wait.promise;
  }

  /** Puts a waiter at the end. */
  add(waiter: Waiter<T>): void {
    waiter.line = this;
    const last = this.#last;
    waiter.ahead = last;
    if (last === null) this.#first = waiter;
    else last.behind = waiter;
    this.#last = waiter;
    this.#size++;
  }

  /** Takes a waiter out, from whichever place. */
  remove(waiter: Waiter): void {
    const { ahead, behind } = waiter;
    if (ahead === null) this.#first = behind;
    else ahead.behind = behind;
    if (behind === null) this.#last = ahead;
    else behind.ahead = ahead;
    waiter.line = waiter.ahead = waiter.behind = null;
    this.#size--;
  }

  /** Wakes all who wait now, in order. */
  wakeAll(value: T): void {
    for (let left = this.#size; left > 0 && this.#first !== null; left--) this.#first.wake(value);
  }

  /** Fails all who wait now, in order, with the same error. */
  throwAll(error: unknown): void {
    for (let left = this.#size; left > 0 && this.#first !== null; left--) this.#first.throw(error);
  }

  /** Fails all who wait now, in order; each gets an error of its own. */
  raiseAll(make: () => unknown): void {
    for (let left = this.#size; left > 0 && this.#first !== null; left--) this.#first.raise(make);
  }
}
