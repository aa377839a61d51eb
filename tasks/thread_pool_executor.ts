import { ThreadKind } from "./_thread_kind.ts";
import { WorkerPool } from "./_worker_pool.ts";
import type { CallStream } from "./call_stream.ts";
import { type Callable, Executor, type ShutdownOptions, type Streamable } from "./executor.ts";
import type { Future } from "./future.ts";
import type { WorkerPoolOptions } from "./worker_pool_options.ts";

/**
 * How a {@linkcode ThreadPoolExecutor} is made. Its threads have the permissions of the program: Deno has no others
 * for them, as {@linkcode ProcessPoolExecutor} has.
 */
export interface ThreadPoolOptions extends WorkerPoolOptions {}

/**
 * Makes calls in threads, each in one at a time, so that they compute beside each other on several cores. Threads
 * start when they are needed, are kept, and never keep a program going that has no call outstanding.
 *
 * A function is sent by its source, so it must be self-contained, or it is named by {@linkcode moduleFunction}.
 * Arguments and results are copied by structured clone, or moved by {@linkcode transfer}; shared memory is shared.
 * An error arrives as it was thrown. A thread that dies fails its call with `BrokenExecutor`, and is replaced.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { ThreadPoolExecutor } from "@evergreen/evergreen";
 *
 * await using pool = new ThreadPoolExecutor(2);
 * const fibonacci = pool.map(function fibonacci(n: number): number {
 *   return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
 * }, [10, 20]);
 * assertEquals(await Array.fromAsync(fibonacci), [55, 6765]);
 * ```
 */
export class ThreadPoolExecutor extends Executor {
  readonly #pool: WorkerPool;

  /**
   * Makes one; its threads start when they are needed.
   *
   * @param maxWorkers How many threads there may be. The default is as many as the machine has cores.
   * @throws {RangeError} If that, or a number among the options, is less than makes sense.
   */
  constructor(maxWorkers?: number, options: ThreadPoolOptions = {}) {
    super();
    this.#pool = new WorkerPool(new ThreadKind(options.memoryLimit), maxWorkers, options);
  }

  /**
   * Has `fn(...args)` called in a thread.
   *
   * @throws {TypeError} If `fn` or an argument cannot be sent there.
   * @throws {RuntimeError} After {@linkcode ThreadPoolExecutor.prototype.shutdown}.
   */
  override submit<A extends unknown[], R>(fn: Callable<A, R>, ...args: A): Future<Awaited<R>> {
    return this.#pool.submit(fn, args) as Future<Awaited<R>>;
  }

  /**
   * Has a function called that returns something to iterate over, a generator for one, and gives what it yields.
   * The function waits while it is a few items ahead. It has its thread for itself until it ends.
   *
   * @throws {TypeError} If `fn` or an argument cannot be sent there.
   * @throws {RuntimeError} After {@linkcode ThreadPoolExecutor.prototype.shutdown}.
   */
  stream<A extends unknown[], T>(
    fn: Callable<A, Streamable<T>>,
    ...args: A
  ): CallStream<T> {
    return this.#pool.stream(fn, args) as CallStream<T>;
  }

  /**
   * Refuses calls from now on, and waits for those that were submitted, and for its threads to end. May be called
   * any number of times.
   */
  override shutdown(options?: ShutdownOptions): Promise<void> {
    return this.#pool.shutdown(options);
  }
}
