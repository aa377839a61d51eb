import platform from "node:timers/promises";
import { AllCooperative } from "./promise.ts";
import { milliseconds, Timeout } from "./timer.ts";

/** What node's timers of promises take besides. */
export interface PromisedTimerOptions {
  signal?: AbortSignal;
  ref?: boolean;
}

/** Whether node takes these options. It refuses others in its own words. */
function areValid(options: PromisedTimerOptions): boolean {
  if (typeof options !== "object" || options === null) return false;
  const { signal, ref } = options;
  return (signal === undefined || signal instanceof AbortSignal) &&
    (ref === undefined || typeof ref === "boolean");
}

function aborted(signal: AbortSignal): Error {
  const error = new Error("The operation was aborted", { cause: signal.reason });
  return Object.assign(error, { name: "AbortError", code: "ABORT_ERR" });
}

/** Node's `setTimeout` of promises. */
export function setTimeoutPromise<T>(
  delay?: number,
  value?: T,
  options: PromisedTimerOptions = {},
): Promise<T> {
  if (!areValid(options)) return platform.setTimeout(delay, value as T, options);
  const { signal, ref } = options;
  return new AllCooperative((resolve, reject) => {
    if (signal?.aborted) return reject(aborted(signal));
    const called = (): void => {
      signal?.removeEventListener("abort", abort);
      resolve(value as T);
    };
    const timer = new Timeout(called, milliseconds(delay), false, []);
    const abort = (): void => {
      timer.close();
      reject(aborted(signal!));
    };
    if (ref === false) timer.unref();
    signal?.addEventListener("abort", abort, { once: true });
  });
}

/** Node's `setInterval` of promises. */
export async function* setIntervalPromises<T>(
  delay?: number,
  value?: T,
  options: PromisedTimerOptions = {},
): AsyncGenerator<T> {
  if (!areValid(options)) yield* platform.setInterval(delay, value as T, options);
  const { signal, ref } = options;
  if (signal?.aborted) throw aborted(signal);
  let ticks = 0;
  let tell = (): void => {};
  const tick = (): void => {
    ticks++;
    tell();
  };
  const timer = new Timeout(tick, milliseconds(delay), true, []);
  if (ref === false) timer.unref();
  const abort = (): void => tell();
  signal?.addEventListener("abort", abort);
  try {
    while (true) {
      while (ticks > 0) {
        ticks--;
        yield value as T;
      }
      if (signal?.aborted) throw aborted(signal);
      if (ticks === 0) await new AllCooperative<void>((resolve) => tell = resolve);
    }
  } finally {
    timer.close();
    signal?.removeEventListener("abort", abort);
  }
}
