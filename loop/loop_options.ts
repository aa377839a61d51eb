import { shown } from "./arguments.ts";
import type { Clock } from "./clock.ts";

/** How a loop is made. */
export interface EventLoopOptions {
  /**
   * What `run()` does when every task waits for another one: reject with a `DeadlockError`, or resolve.
   *
   * @default {"throw"}
   */
  onDeadlock?: "throw" | "return";
  /** Where time comes from. The default is the real, monotonic one. */
  clock?: Clock;
  /**
   * What is ready at the same time runs in an order that is drawn from this seed, the same at every run.
   * Without it, in the order in which it became ready.
   */
  seed?: number;
}

/** Throws unless a loop can be made with `options`. */
export function checkLoopOptions(options: EventLoopOptions): void {
  const { onDeadlock, clock, seed } = options;
  if (onDeadlock !== undefined && onDeadlock !== "throw" && onDeadlock !== "return") {
    throw new TypeError(
      `Cannot make an event loop: onDeadlock must be "throw" or "return", not ${shown(onDeadlock)}`,
    );
  }
  if (clock !== undefined && !isClock(clock)) {
    throw new TypeError(`Cannot make an event loop: clock must be a Clock, not ${shown(clock)}`);
  }
  if (seed !== undefined && !Number.isFinite(seed)) {
    throw new TypeError(`Cannot make an event loop: seed must be a number, not ${shown(seed)}`);
  }
}

function isClock(clock: unknown): clock is Clock {
  const { time, wakeAt } = (clock ?? {}) as Partial<Clock>;
  return typeof time === "function" && typeof wakeAt === "function";
}
