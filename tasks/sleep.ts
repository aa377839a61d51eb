import type { Reason } from "../loop/blocked.ts";
import { checkDelay } from "../loop/arguments.ts";
import { Scheduler } from "../loop/scheduler.ts";
import { Strand } from "../loop/strand.ts";
import { checkpoint, type Expiry, OPEN, Wait } from "../loop/wait.ts";

/** What may end a sleep early. */
export interface SleepOptions {
  /** Ends it when it aborts; the sleep then rejects with `signal.reason`. */
  signal?: AbortSignal;
}

const reason: Reason = { describe: () => "sleep()" };
const wakes: Expiry = {
  atOnce: () => Promise.reject(new Error("A sleep has no timeout")),
  expire: (wait) => wait.wake(undefined),
};

/**
 * Makes the current task wait for a time.
 *
 * @param delay In milliseconds. Zero (the default) or less only gives those their turn who are ready already.
 * @throws {RangeError} If `delay` is NaN.
 *
 * @example
 * ```ts
 * import { sleep } from "@evergreen/evergreen";
 *
 * await sleep(10);
 * ```
 */
export function sleep(delay?: number, options?: SleepOptions): Promise<void> {
  if (delay !== undefined && delay !== 0) {
    try {
      checkDelay("sleep", delay);
    } catch (error) {
      return Promise.reject(error);
    }
  }
  const refused = checkpoint(options);
  if (refused !== undefined) return refused;
  const scheduler = Scheduler.current();
  if (delay === undefined || delay <= 0) return Strand.yield(scheduler);
  const wait = Wait.begin<void>(scheduler, reason, OPEN);
  wait.limit({ timeout: delay, signal: options?.signal }, wakes);
  return wait.promise;
}
