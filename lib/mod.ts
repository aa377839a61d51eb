/**
 * Cooperative versions of the platform's own functions, under their own names: what they wait for is the
 * loop's, so it can be killed and timed out, keeps `run()` going and wakes its task in the loop's order.
 *
 * | To... | Use |
 * | --- | --- |
 * | start timers that the loop drives | {@linkcode time} |
 *
 * @module
 */
import { time, type TimeFunctions } from "./time.ts";

export type { TimeFunctions };

/** The cooperative versions, to be used without patching anything. */
export const lib: { readonly time: TimeFunctions } = { time };
