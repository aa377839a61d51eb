import { shown } from "../loop/arguments.ts";
import { TimeoutError } from "../loop/errors.ts";
import { Line } from "../loop/line.ts";
import { checkpoint, givesFalse, type WaitOptions } from "../loop/wait.ts";
import { remaining } from "./executor.ts";
import { type Future, outcomeOf } from "./future.ts";

/** {@linkcode wait} returns when any future is settled. */
export const FIRST_COMPLETED = "FIRST_COMPLETED" as const;
/** {@linkcode wait} returns when any future has failed, or all are settled. */
export const FIRST_EXCEPTION = "FIRST_EXCEPTION" as const;
/** {@linkcode wait} returns when all futures are settled. */
export const ALL_COMPLETED = "ALL_COMPLETED" as const;

/** When {@linkcode wait} returns. */
export type ReturnWhen = typeof FIRST_COMPLETED | typeof FIRST_EXCEPTION | typeof ALL_COMPLETED;

/** How long {@linkcode wait} waits, and for what. */
export interface WaitFuturesOptions extends WaitOptions {
  /**
   * When to return.
   *
   * @default {ALL_COMPLETED}
   */
  returnWhen?: ReturnWhen;
}

/**
 * Waits for several futures, of whichever executors. When the timeout passes it returns what is settled by
 * then. After `concurrent.futures.wait`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { FIRST_COMPLETED, sleep, TaskPoolExecutor, wait } from "@evergreen/evergreen";
 *
 * await using executor = new TaskPoolExecutor(2);
 * const fast = executor.submit(() => sleep(1));
 * const slow = executor.submit(() => sleep(20));
 * const { done, notDone } = await wait([fast, slow], { returnWhen: FIRST_COMPLETED });
 * assertEquals([done.has(fast), notDone.has(slow)], [true, true]);
 * ```
 */
export async function wait<T>(
  futures: Iterable<Future<T>>,
  options?: WaitFuturesOptions,
): Promise<{ done: Set<Future<T>>; notDone: Set<Future<T>> }> {
  await checkpoint(options);
  const returnWhen = options?.returnWhen ?? ALL_COMPLETED;
  if (![FIRST_COMPLETED, FIRST_EXCEPTION, ALL_COMPLETED].includes(returnWhen)) {
    throw new TypeError(
      `Cannot wait: returnWhen is not one of its constants: ${shown(returnWhen)}`,
    );
  }
  const all = new Set(futures);
  const left = new Set<Future<T>>();
  for (const future of all) if (!future.done) left.add(future);
  const line = new Line<boolean>(() => `wait() for ${left.size} of ${all.size} futures`);
  const enough = (future: Future<T>): boolean =>
    left.size === 0 || returnWhen === FIRST_COMPLETED ||
    (returnWhen === FIRST_EXCEPTION && outcomeOf(future).failed);
  let over = left.size === 0 || all.values().some((future) => future.done && enough(future));
  if (!over) {
    let listening = true;
    for (const future of left) {
      future.addDoneCallback(() => {
        if (!listening) return;
        left.delete(future);
        over ||= enough(future);
        if (over) line.wakeAll(true);
      });
    }
    try {
      await line.wait(givesFalse, options);
    } finally {
      listening = false;
    }
  }
  return { done: all.difference(left), notDone: left };
}

/**
 * Gives futures as they are settled; those that are already, first. After `concurrent.futures.as_completed`.
 *
 * @param options The timeout counts from this call, for all of it.
 * @throws {TimeoutError} From the iteration, if not all are settled in time.
 */
export function asCompleted<T>(
  futures: Iterable<Future<T>>,
  options?: WaitOptions,
): AsyncIterableIterator<Future<T>> {
  return completed(new Set(futures), options, remaining(options));
}

async function* completed<T>(
  all: Set<Future<T>>,
  options: WaitOptions | undefined,
  left: () => WaitOptions | undefined,
): AsyncIterableIterator<Future<T>> {
  await checkpoint(options);
  const settled: Future<T>[] = [];
  const line = new Line<boolean>(() => `asCompleted() of ${all.size} futures`);
  for (const future of all) {
    future.addDoneCallback(() => {
      settled.push(future);
      line.first?.wake(true);
    });
  }
  for (let given = 0; given < all.size; given++) {
    if (settled.length === given) {
      const limits = left();
      await checkpoint(limits);
      if (settled.length === given && !await line.wait(givesFalse, limits)) {
        throw new TimeoutError(`${all.size - given} of ${all.size} futures are not settled`);
      }
    }
    yield settled[given];
  }
}
