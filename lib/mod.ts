/**
 * Cooperative versions of the platform's own functions, under their own names: what they wait for is the
 * loop's, so it can be killed and timed out, keeps `run()` going and wakes its task in the loop's order.
 *
 * | To... | Use |
 * | --- | --- |
 * | wait for several streams, sockets or descriptors at once | {@linkcode select} |
 * | start timers that the loop drives | {@linkcode time} |
 *
 * @module
 */
import { type Ready, select, type SelectFunctions } from "./select.ts";
import { time, type TimeFunctions } from "./time.ts";

export type { Ready, SelectFunctions, TimeFunctions };

/** The cooperative versions, to be used without patching anything. */
export const lib: {
  /** Waiting for several sources at once. */
  readonly select: SelectFunctions;
  /** Timers. */
  readonly time: TimeFunctions;
} = { select, time };
