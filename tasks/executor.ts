import { checkCallback } from "../loop/arguments.ts";
import { Scheduler } from "../loop/scheduler.ts";
import { checkOptions, type WaitOptions } from "../loop/wait.ts";
import type { Future } from "./future.ts";
import type { ModuleFunction } from "./module_function.ts";

/**
 * What an executor can call. A plain function is sent to a thread or process by its source, so there it must be
 * self-contained.
 */
export type Callable<A extends unknown[], R> = ((...args: A) => R) | ModuleFunction<A, R>;

/** What a function returns that can be called by `stream()`. */
export type Streamable<T> =
  | Iterable<T>
  | AsyncIterable<T>
  | PromiseLike<Iterable<T> | AsyncIterable<T>>;

/** What {@linkcode Executor.prototype.shutdown} does besides. */
export interface ShutdownOptions {
  /**
   * Whether it waits for the calls that were submitted.
   *
   * @default {true}
   */
  wait?: boolean;
  /** Whether calls that have not started are cancelled. */
  cancelFutures?: boolean;
}

/**
 * Makes calls elsewhere, and gives a {@linkcode Future} for each. After `concurrent.futures.Executor`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { sleep, TaskPoolExecutor } from "@evergreen/evergreen";
 *
 * await using executor = new TaskPoolExecutor(10);
 * const squares = executor.map(async (n: number) => (await sleep(1), n * n), [1, 2, 3]);
 * assertEquals(await Array.fromAsync(squares), [1, 4, 9]);
 * ```
 */
export abstract class Executor implements AsyncDisposable {
  /**
   * Has `fn(...args)` called.
   *
   * @throws {RuntimeError} After {@linkcode Executor.prototype.shutdown}.
   */
  abstract submit<A extends unknown[], R>(
    fn: Callable<A, R>,
    ...args: A
  ): Future<Awaited<R>>;

  /**
   * Refuses calls from now on, and waits for those that were submitted. May be called any number of times.
   */
  abstract shutdown(options?: ShutdownOptions): Promise<void>;

  /**
   * Calls `fn` for every item, many at a time, and gives the results in the order of the items. Leaving
   * the iteration early cancels the rest.
   *
   * @param items Submitted at once if they are a plain iterable; of an async one, a few ahead of what was asked for.
   * @param options The timeout counts from this call, for all of it.
   * @throws {TimeoutError} From the iteration, if a result is not there in time.
   */
  map<T, R>(
    fn: Callable<[T], R>,
    items: Iterable<T> | AsyncIterable<T>,
    options?: WaitOptions,
  ): AsyncIterableIterator<Awaited<R>> {
    return this.#each((item: T) => this.submit(fn, item), fn, items, options);
  }

  /** As {@linkcode Executor.prototype.map}, with each item the list of arguments. */
  starmap<A extends unknown[], R>(
    fn: Callable<A, R>,
    items: Iterable<A> | AsyncIterable<A>,
    options?: WaitOptions,
  ): AsyncIterableIterator<Awaited<R>> {
    return this.#each((args: A) => this.submit(fn, ...args), fn, items, options);
  }

  /** Shuts it down, and waits. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  #each<T, R>(
    submit: (item: T) => Future<R>,
    fn: unknown,
    items: Iterable<T> | AsyncIterable<T>,
    options: WaitOptions | undefined,
  ): AsyncIterableIterator<R> {
    if (typeof fn === "function") checkCallback("map", fn);
    if (options !== undefined) {
      try {
        checkOptions(options);
      } catch (error) {
        return failing(error);
      }
    }
    const left = remaining(options);
    if (Symbol.asyncIterator in items) return inOrder(windowed(submit, items), left);
    return new Results(Array.from(items, submit), left);
  }
}

/** How many items of an async iterable are submitted before the first of their results is asked for. */
const WINDOW = 128;

/** Submits what comes, so many ahead. */
async function* windowed<T, R>(
  submit: (item: T) => Future<R>,
  items: AsyncIterable<T>,
): AsyncIterableIterator<Future<R>> {
  const ahead: Future<R>[] = [];
  try {
    for await (const item of items) {
      ahead.push(submit(item));
      if (ahead.length >= WINDOW) yield ahead.shift()!;
    }
    while (ahead.length > 0) yield ahead.shift()!;
  } finally {
    for (const future of ahead) future.cancel();
  }
}

// deno-lint-ignore require-yield
async function* failing(error: unknown): AsyncIterableIterator<never> {
  throw error;
}

/** The results of `futures`, in order; those that nobody comes to ask for are cancelled. */
class Results<R> implements AsyncIterableIterator<R> {
  readonly #futures: Future<R>[];
  readonly #left: () => WaitOptions | undefined;
  #next = 0;

  constructor(futures: Future<R>[], left: () => WaitOptions | undefined) {
    this.#futures = futures;
    this.#left = left;
  }

  next(): Promise<IteratorResult<R>> {
    if (this.#next >= this.#futures.length) return this.return();
    return this.#futures[this.#next++].get(this.#left()).then(given, this.#fail);
  }

  return(): Promise<IteratorResult<R>> {
    this.#end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  readonly #fail = (error: unknown): never => {
    this.#end();
    throw error;
  };

  #end(): void {
    for (const future of this.#futures) future.cancel();
    this.#futures.length = 0;
  }
}

function given<R>(value: R): IteratorResult<R> {
  return { done: false, value };
}

/** The results of `futures` as they are made. */
async function* inOrder<R>(
  futures: AsyncIterableIterator<Future<R>>,
  left: () => WaitOptions | undefined,
): AsyncIterableIterator<R> {
  try {
    for (let next = await futures.next(); !next.done; next = await futures.next()) {
      const future = next.value;
      try {
        yield await future.get(left());
      } finally {
        future.cancel();
      }
    }
  } finally {
    await futures.return?.();
  }
}

/** Options for each of several waits that share one timeout, which counts from now. */
export function remaining(options: WaitOptions | undefined): () => WaitOptions | undefined {
  const timeout = options?.timeout;
  if (timeout === undefined) return () => options;
  const { clock } = Scheduler.current();
  const end = clock.time() + timeout;
  return () => ({
    ...options,
    timeout: Number.isFinite(end) ? Math.max(end - clock.time(), 0) : timeout,
  });
}
