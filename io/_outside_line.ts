import { Line } from "../loop/line.ts";
import { Scheduler } from "../loop/scheduler.ts";
import { Strand } from "../loop/strand.ts";
import { type Expiry, OUTSIDE, Wait, type WaitOptions } from "../loop/wait.ts";

/** A line of those who wait for something outside the loop, which is told when one of them gives up. */
export class OutsideLine<T> extends Line<T> {
  readonly #left: (() => void) | null;

  constructor(describe: () => string, left: (() => void) | null = null) {
    super(describe);
    this.#left = left;
  }

  override wait(expiry: Expiry, options?: WaitOptions, offer?: unknown): Promise<T> {
    return this.waitAs(Strand.current(Scheduler.current()), expiry, options, offer);
  }

  /** As {@linkcode wait}, for a strand whose code is not the one that calls. */
  waitAs(
    strand: Strand,
    expiry: Expiry,
    options?: WaitOptions,
    offer?: unknown,
  ): Promise<T> {
    if (options?.timeout === 0) return expiry.atOnce();
    const wait = Wait.beginOf<T>(strand, this, OUTSIDE, offer);
    this.add(wait);
    if (this.#left !== null) wait.onLeave(this.#left);
    if (options !== undefined) wait.limit(options, expiry);
    return wait.promise;
  }
}
