import { isThenable } from "../loop/thenable.ts";
import { checkCallback, checkCount } from "../loop/arguments.ts";
import { RuntimeError, TaskExit } from "../loop/errors.ts";
import { Line } from "../loop/line.ts";
import { checkpoint, raisesTimeout } from "../loop/wait.ts";
import { streamLocally } from "./_local_stream.ts";
import type { CallStream } from "./call_stream.ts";
import { type Callable, Executor, type ShutdownOptions, type Streamable } from "./executor.ts";
import { Future, settleCancelled, terminateBy } from "./future.ts";
import { importFunction, ModuleFunction } from "./module_function.ts";
import { closeProgress, Progress } from "./progress.ts";
import { Task } from "./task.ts";

interface Call {
  readonly future: Future<unknown>;
  readonly fn: (...args: never[]) => unknown;
  readonly args: unknown[];
}

/**
 * Makes calls in tasks of this thread, at most so many at a time, in the order in which they were submitted.
 * A worker task is started when a call finds none idle, and ends when no call is left.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { sleep, TaskPoolExecutor } from "@evergreen/evergreen";
 *
 * await using executor = new TaskPoolExecutor(2);
 * const future = executor.submit(async (a: number, b: number) => (await sleep(1), a + b), 1, 2);
 * assertEquals(await future.get(), 3);
 * ```
 */
export class TaskPoolExecutor extends Executor {
  readonly #maxWorkers: number;
  readonly #idle = new Line<void>(() => "TaskPoolExecutor.shutdown()");
  #calls: Call[] = [];
  #next = 0;
  #workers = 0;
  #shutdown = false;

  /**
   * Makes a pool; no task is started before there is a call to make.
   *
   * @param maxWorkers How many calls are made at a time.
   * @throws {RangeError} If that is less than 1.
   */
  constructor(maxWorkers: number) {
    super();
    checkCount("maxWorkers", maxWorkers, 1);
    this.#maxWorkers = maxWorkers;
  }

  /**
   * Has `fn(...args)` called in a task of the pool. If that task is killed meanwhile, the future is cancelled.
   *
   * @throws {RuntimeError} After {@linkcode TaskPoolExecutor.prototype.shutdown}.
   * @throws {TypeError} If `fn` is no function.
   */
  override submit<A extends unknown[], R>(
    fn: Callable<A, R>,
    ...args: A
  ): Future<Awaited<R>> {
    const local = localFunction(fn);
    if (this.#shutdown) throw new RuntimeError("Cannot submit a call: the executor was shut down");
    const future = new Future<Awaited<R>>();
    if (args.some(isProgress)) {
      future.addDoneCallback(() => closeProgress(args));
    }
    this.#calls.push({ future: future as Future<unknown>, fn: local, args });
    if (this.#workers < this.#maxWorkers) this.#startWorker();
    return future;
  }

  /**
   * Has a function called that returns something to iterate over, a generator for one, and gives what it yields.
   * The function waits while it is a few items ahead. It has a worker for itself until it ends.
   *
   * @throws {RuntimeError} After {@linkcode TaskPoolExecutor.prototype.shutdown}.
   */
  stream<A extends unknown[], T>(fn: Callable<A, Streamable<T>>, ...args: A): CallStream<T> {
    const local = localFunction(fn) as (...args: A) => unknown;
    const stream = streamLocally(() => local(...args), (pour) => {
      const future = this.submit(pour);
      future.addDoneCallback(() => closeProgress(args));
      return future;
    });
    return stream as CallStream<T>;
  }

  /**
   * Refuses calls from now on, and waits for those that were submitted. May be called any number of times.
   *
   * @param options `wait: false` does not wait; `cancelFutures` cancels the calls that have not started.
   */
  override async shutdown(options?: ShutdownOptions): Promise<void> {
    this.#shutdown = true;
    if (options?.cancelFutures) {
      for (const call of this.#calls.slice(this.#next)) call.future.cancel();
    }
    await checkpoint();
    if ((options?.wait ?? true) && this.#workers > 0) await this.#idle.wait(raisesTimeout);
  }

  #startWorker(): void {
    this.#workers++;
    new Task(() => this.#work()).start();
  }

  async #work(): Promise<void> {
    const worker = Task.current();
    let left = false;
    const leave = (): void => {
      if (left) return;
      left = true;
      this.#workers--;
      // A worker that was killed leaves calls behind.
      if (this.#next < this.#calls.length) this.#startWorker();
      else if (this.#workers === 0) this.#idle.wakeAll();
    };
    // The call may take its time to end, in a foreign promise for one. Nobody waits for that.
    const end = (): void => {
      worker.kill();
      leave();
    };
    try {
      for (let call = this.#take(); call !== undefined; call = this.#take()) {
        const { future, fn, args } = call;
        if (!future.setRunningOrNotifyCancel()) continue;
        terminateBy(future, end);
        let value: unknown;
        try {
          value = fn(...(args as never[]));
          if (isThenable(value)) value = await value;
        } catch (error) {
          if (error instanceof TaskExit) {
            settleCancelled(future);
            throw error;
          }
          // A kill that has not arrived yet was meant for this call, and must not hit the next.
          if (future.done) return;
          future.setException(error);
          continue;
        }
        if (future.done) return;
        future.setResult(value);
      }
    } finally {
      leave();
    }
  }

  #take(): Call | undefined {
    if (this.#next === this.#calls.length) return undefined;
    const call = this.#calls[this.#next];
    this.#calls[this.#next++] = undefined!;
    // What was taken is dropped when it is the larger part: O(1) for each in the long run.
    if (this.#next > 1024 && this.#next * 2 > this.#calls.length) {
      this.#calls = this.#calls.slice(this.#next);
      this.#next = 0;
    }
    return call;
  }
}

function isProgress(arg: unknown): boolean {
  return arg instanceof Progress;
}

function localFunction(fn: unknown): (...args: never[]) => unknown {
  if (fn instanceof ModuleFunction) {
    return async (...args) => (await importFunction(fn.module, fn.name))(...args);
  }
  checkCallback("submit a call", fn);
  return fn as () => unknown;
}
