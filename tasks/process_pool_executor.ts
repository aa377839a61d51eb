import { ProcessKind } from "./_process_kind.ts";
import { WorkerPool } from "./_worker_pool.ts";
import type { CallStream } from "./call_stream.ts";
import { type Callable, Executor, type ShutdownOptions, type Streamable } from "./executor.ts";
import type { Future } from "./future.ts";
import type { WorkerPoolOptions } from "./worker_pool_options.ts";

/** How a {@linkcode ProcessPoolExecutor} is made. */
export interface ProcessPoolOptions extends WorkerPoolOptions {
  /**
   * What its processes may do, as for a Worker. What is to be inherited must have been granted to this program as a
   * whole (`--allow-read`, not `--allow-read=/tmp`): Deno tells nobody the parts, so those have to be given.
   *
   * @default {"inherit"}
   */
  permissions?: Deno.PermissionOptions;
  /** More arguments for `deno run`: `["--unstable-net"]`, `["--config", "other.json"]`. */
  args?: readonly string[];
  /** Environment variables for its processes, beside those of this program. */
  env?: Readonly<Record<string, string>>;
  /** Where its processes work. The default is where this one does. */
  cwd?: string | URL;
}

/**
 * Makes calls in processes of their own, each in one at a time: they share nothing with this one, may have fewer
 * permissions, and really stop when they are ended. Everything else is as in a {@linkcode ThreadPoolExecutor}, except
 * that a process takes longer to start, and that arguments and results are always copied.
 *
 * It needs `--allow-run`, and `--allow-env`; with only `--allow-env=NODE_V8_COVERAGE` its processes have an empty
 * environment. What they print is printed. They do not react to Ctrl-C, which this process does; when it ends,
 * they end too, at the end of their calls.
 *
 * @example
 * ```ts
 * import { assertNotEquals } from "@std/assert";
 * import { ProcessPoolExecutor } from "@evergreen/evergreen";
 *
 * await using pool = new ProcessPoolExecutor(1);
 * assertNotEquals(await pool.submit(() => Deno.pid).get(), Deno.pid);
 * ```
 */
export class ProcessPoolExecutor extends Executor {
  readonly #pool: WorkerPool;

  /**
   * Makes one; its processes start when they are needed.
   *
   * @param maxWorkers How many processes there may be. The default is as many as the machine has cores.
   * @throws {RangeError} If that, or a number among the options, is less than makes sense.
   */
  constructor(maxWorkers?: number, options: ProcessPoolOptions = {}) {
    super();
    this.#pool = new WorkerPool(new ProcessKind(options), maxWorkers, options);
  }

  /**
   * Has `fn(...args)` called in another process.
   *
   * @throws {TypeError} If `fn` or an argument cannot be sent there.
   * @throws {RuntimeError} After {@linkcode ProcessPoolExecutor.prototype.shutdown}.
   * @throws {Deno.errors.NotCapable} Without the permission to start a process.
   */
  override submit<A extends unknown[], R>(fn: Callable<A, R>, ...args: A): Future<Awaited<R>> {
    return this.#pool.submit(fn, args) as Future<Awaited<R>>;
  }

  /**
   * Has a function called that returns something to iterate over, a generator for one, and gives what it yields.
   * The function waits while it is a few items ahead. It has its process for itself until it ends.
   *
   * @throws {TypeError} If `fn` or an argument cannot be sent there.
   * @throws {RuntimeError} After {@linkcode ProcessPoolExecutor.prototype.shutdown}.
   * @throws {Deno.errors.NotCapable} Without the permission to start a process.
   */
  stream<A extends unknown[], T>(fn: Callable<A, Streamable<T>>, ...args: A): CallStream<T> {
    return this.#pool.stream(fn, args) as CallStream<T>;
  }

  /**
   * Refuses calls from now on, and waits for those that were submitted, and for its processes to end. May be called
   * any number of times.
   */
  override shutdown(options?: ShutdownOptions): Promise<void> {
    return this.#pool.shutdown(options);
  }
}
