/**
 * Cooperative versions of the platform's own functions, under their own names: what they wait for is the
 * loop's, so it can be killed and timed out, keeps `run()` going and wakes its task in the loop's order.
 *
 * | To... | Use |
 * | --- | --- |
 * | connect and listen | {@linkcode socket} |
 * | wait for several streams, sockets or descriptors at once | {@linkcode select} |
 * | start timers that the loop drives | {@linkcode time} |
 *
 * @module
 */
import { type Ready, type ReadySource, select, type SelectFunctions } from "./select.ts";
import { socket, type SocketFunctions } from "./socket.ts";
import { time, type TimeFunctions } from "./time.ts";

export type { Ready, ReadySource, SelectFunctions, SocketFunctions, TimeFunctions };

/** The cooperative versions, to be used without patching anything. */
export const lib: {
  /** Waiting for several sources at once. */
  readonly select: SelectFunctions;
  /** Connections and listeners. */
  readonly socket: SocketFunctions;
  /** Timers. */
  readonly time: TimeFunctions;
} = { select, socket, time };
