import timers from "node:timers";
import platform from "node:timers/promises";
import { lib } from "../lib/mod.ts";
import { setIntervalPromises, setTimeoutPromise } from "../lib/promised_timers.ts";

const { setTimeout, setInterval, clearTimeout, clearInterval } = lib.time;

const scheduler = Object.create(platform.scheduler, {
  wait: {
    value: (delay: number, options?: { signal?: AbortSignal }) =>
      setTimeoutPromise(delay, undefined, options),
  },
  yield: { value: () => platform.scheduler.yield() },
});

const promises = {
  ...platform,
  setTimeout: setTimeoutPromise,
  setInterval: setIntervalPromises,
  scheduler,
};

/** Node's modules of timers. */
export const nodeTimers: Readonly<Record<string, Record<string, unknown>>> = {
  timers: { ...timers, setTimeout, setInterval, clearTimeout, clearInterval, promises },
  "timers/promises": promises,
};
