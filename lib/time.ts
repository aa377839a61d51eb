import { setTimeoutPromise } from "./promised_timers.ts";
import { findTimer, milliseconds, Timeout } from "./timer.ts";

const platform = {
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  clearInterval: globalThis.clearInterval,
  refTimer: Deno.refTimer,
  unrefTimer: Deno.unrefTimer,
};

/** The platform's timer functions, driven by the loop. */
export interface TimeFunctions {
  /**
   * Calls `callback` after `delay` milliseconds on the loop's clock, in the loop's order.
   *
   * @throws {TypeError} If `callback` is no function.
   */
  readonly setTimeout: typeof globalThis.setTimeout;
  /** Calls `callback` every `delay` milliseconds. */
  readonly setInterval: typeof globalThis.setInterval;
  /** Cancels a timer: one of these, or one of the platform's. */
  readonly clearTimeout: typeof globalThis.clearTimeout;
  /** Cancels a timer: one of these, or one of the platform's. */
  readonly clearInterval: typeof globalThis.clearInterval;
  /** Has a timer keep the loop going: one of these, or one of the platform's. */
  readonly refTimer: typeof Deno.refTimer;
  /** Has a timer not keep the loop going: one of these, or one of the platform's. */
  readonly unrefTimer: typeof Deno.unrefTimer;
}

/**
 * The platform's timers, driven by the loop: they follow its clock, keep its `run()` going, and call back in the
 * loop's order. An error in a callback goes to the loop's exception handler.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { EventLoop, lib, VirtualClock } from "@evergreen/evergreen";
 *
 * const loop = new EventLoop({ clock: new VirtualClock() });
 * const log: string[] = [];
 * lib.time.setTimeout(() => log.push("an hour later"), 3_600_000);
 * await loop.run();
 * assertEquals(log, ["an hour later"]);
 * loop.destroy();
 * ```
 */
export const time: TimeFunctions = {
  setTimeout: function setTimeout(callback: unknown, delay?: unknown, ...args: unknown[]): Timeout {
    return new Timeout(checked(callback), milliseconds(delay), false, args);
  } as unknown as typeof globalThis.setTimeout,

  setInterval: function setInterval(
    callback: unknown,
    delay?: unknown,
    ...args: unknown[]
  ): Timeout {
    return new Timeout(checked(callback), milliseconds(delay), true, args);
  } as unknown as typeof globalThis.setInterval,

  clearTimeout: function clearTimeout(timer?: unknown): void {
    const own = findTimer(timer);
    if (own !== undefined) own.close();
    else platform.clearTimeout(timer as number);
  },

  clearInterval: function clearInterval(timer?: unknown): void {
    const own = findTimer(timer);
    if (own !== undefined) own.close();
    else platform.clearInterval(timer as number);
  },

  refTimer: function refTimer(timer: unknown): void {
    const own = findTimer(timer);
    if (own !== undefined) own.ref();
    else platform.refTimer(timer as number);
  },

  unrefTimer: function unrefTimer(timer: unknown): void {
    const own = findTimer(timer);
    if (own !== undefined) own.unref();
    else platform.unrefTimer(timer as number);
  },
};

// What `util.promisify` makes of it, as of the platform's.
Object.defineProperty(time.setTimeout, Symbol.for("nodejs.util.promisify.custom"), {
  enumerable: true,
  get: () => setTimeoutPromise,
});

function checked(callback: unknown): (...args: unknown[]) => unknown {
  // The platform refuses what is no function, in words of its own.
  if (typeof callback !== "function") platform.setTimeout(callback as () => void);
  return callback as (...args: unknown[]) => unknown;
}
