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
  /**
   * What TCP runs on: the platform's own sockets, or raw ones whose readiness the loop watches (`"fd"`), which is
   * quicker; that needs `--allow-ffi`, and Linux or macOS. The default is what the environment variable
   * `EVERGREEN_REACTOR` says, where it may be read, and the platform's otherwise.
   *
   * @default {"deno"}
   */
  reactor?: "deno" | "fd";
}

/** Throws unless a loop can be made with `options`. */
export function checkLoopOptions(options: EventLoopOptions): void {
  const { onDeadlock, clock, seed, reactor } = options;
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
  if (reactor !== undefined) checkReactor("reactor", reactor);
}

/** Which sockets TCP runs on, where the loop's options do not say. */
export function reactorOfEnvironment(): "deno" | "fd" {
  const { state } = Deno.permissions.querySync({ name: "env", variable: "EVERGREEN_REACTOR" });
  const reactor = state === "granted" ? Deno.env.get("EVERGREEN_REACTOR") : undefined;
  if (reactor === undefined || reactor === "") return "deno";
  checkReactor("EVERGREEN_REACTOR", reactor);
  return reactor;
}

function checkReactor(what: string, reactor: unknown): asserts reactor is "deno" | "fd" {
  if (reactor === "deno" || reactor === "fd") return;
  throw new TypeError(
    `Cannot make an event loop: ${what} must be "deno" or "fd", not ${shown(reactor)}`,
  );
}

function isClock(clock: unknown): clock is Clock {
  const { time, wakeAt } = (clock ?? {}) as Partial<Clock>;
  return typeof time === "function" && typeof wakeAt === "function";
}
