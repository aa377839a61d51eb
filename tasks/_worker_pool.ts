import { checkCallback, checkCount, checkDelay } from "../loop/arguments.ts";
import { RuntimeError } from "../loop/errors.ts";
import { holdLoop } from "../loop/hold.ts";
import { Line } from "../loop/line.ts";
import { Ring } from "../loop/ring.ts";
import { takeTransfers, transferables } from "../loop/transfer.ts";
import { checkpoint, raisesTimeout } from "../loop/wait.ts";
import { CallErrand, type Errand, StreamErrand } from "./_errand.ts";
import { targetOf } from "./_function_source.ts";
import { PooledWorker } from "./_pooled_worker.ts";
import type { WorkerKind } from "./_worker_kind.ts";
import { CALL, SETUP, type Setup, STREAM, type ToWorker } from "./_worker_messages.ts";
import type { CallStream } from "./call_stream.ts";
import type { ShutdownOptions } from "./executor.ts";
import type { Future } from "./future.ts";
import { ModuleFunction } from "./module_function.ts";
import { Progress } from "./progress.ts";
import type { WorkerPoolOptions } from "./worker_pool_options.ts";

/**
 * Workers of one kind, and the calls for them: what the executors of threads and of processes have in common.
 *
 * A worker is started when a call finds none idle, runs one call at a time, and is kept. Each is started for a
 * call that it gets at once, so one that cannot start, or dies, always takes a call with it: a function that kills
 * every worker cannot have them started for ever.
 */
export class WorkerPool {
  readonly #kind: WorkerKind;
  readonly #maxWorkers: number;
  readonly #maxCalls: number;
  readonly #transfers: boolean;
  readonly #setup: Omit<Setup, "stopped">;
  readonly #queue = new Ring<Errand>();
  /** The last that became idle is the first to be used: those that are not needed stay idle. */
  readonly #idle: PooledWorker[] = [];
  readonly #workers = new Set<PooledWorker>();
  readonly #over: Line<void>;
  #last = 0;
  #shutdown = false;
  /** How many workers have a call, or are about to end. */
  #active = 0;
  #release: (() => void) | null = null;

  constructor(kind: WorkerKind, maxWorkers: number | undefined, options: WorkerPoolOptions) {
    const workers = maxWorkers ?? navigator.hardwareConcurrency;
    checkCount("maxWorkers", workers, 1);
    const { maxTasksPerWorker, initializer, initializerArgs, idleTimeout } = options;
    if (maxTasksPerWorker !== undefined) checkCount("maxTasksPerWorker", maxTasksPerWorker, 1);
    if (idleTimeout !== undefined) checkDelay("end idle workers", idleTimeout);
    this.#kind = kind;
    this.#maxWorkers = workers;
    this.#maxCalls = maxTasksPerWorker ?? Infinity;
    this.#transfers = options.transfer ?? false;
    this.#over = new Line<void>(() => `shutdown() of a pool of ${kind.plural}`);
    this.#setup = {
      initializer: initializer === undefined ? null : targetOf(initializer),
      initializerArgs: initializerArgs ?? [],
      transferResults: this.#transfers,
      memoryLimited: options.memoryLimit !== undefined,
      idleTimeout: idleTimeout === undefined || idleTimeout === Infinity ? null : idleTimeout,
    };
    this.#packSetup(null); // What cannot be sent is refused now, not when a worker starts.
  }

  submit(fn: unknown, args: unknown[]): Future<unknown> {
    const errand = new CallErrand(++this.#last, this.#pack(CALL, fn, args), args);
    this.#dispatch(errand);
    return errand.future;
  }

  stream(fn: unknown, args: unknown[]): CallStream<unknown> {
    const errand = new StreamErrand(++this.#last, this.#pack(STREAM, fn, args), args);
    this.#dispatch(errand);
    return errand.stream;
  }

  async shutdown(options?: ShutdownOptions): Promise<void> {
    this.#shutdown = true;
    if (options?.cancelFutures) {
      for (let errand = this.#queue.shift(); errand; errand = this.#queue.shift()) errand.cancel();
    }
    for (const worker of this.#idle.splice(0)) this.#retire(worker);
    await checkpoint();
    if ((options?.wait ?? true) && this.#active > 0) await this.#over.wait(raisesTimeout);
  }

  #pack(kind: typeof CALL | typeof STREAM, fn: unknown, args: unknown[]): unknown {
    if (!(fn instanceof ModuleFunction)) checkCallback("submit a call", fn);
    if (this.#shutdown) throw new RuntimeError("Cannot submit a call: the executor was shut down");
    const reporters: number[] = [];
    args.forEach((arg, index) => {
      if (arg instanceof Progress) reporters.push(index);
    });
    const sent = reporters.length === 0
      ? args
      : args.map((arg, index) => reporters.includes(index) ? null : arg);
    const moved = this.#transfers ? transferables(sent) : takeTransfers(sent);
    const message: ToWorker = [kind, this.#last, targetOf(fn), sent, reporters];
    return this.#sendable("call", () => this.#kind.pack(message, moved));
  }

  #sendable(what: string, pack: () => unknown): unknown {
    try {
      return pack();
    } catch (cause) {
      throw new TypeError(
        `Cannot send the arguments of the ${what} to a ${this.#kind.name}: ${
          withoutPeriod(cause)
        }; ` +
          `only data can be sent. For a function, send moduleFunction(url, name) and import it there`,
        { cause },
      );
    }
  }

  #dispatch(errand: Errand): void {
    const worker = this.#idle.pop();
    if (worker !== undefined) this.#run(worker, errand);
    else if (this.#workers.size < this.#maxWorkers) this.#run(this.#start(), errand);
    else this.#queue.push(errand);
  }

  #start(): PooledWorker {
    const worker: PooledWorker = new PooledWorker(this.#kind, {
      done: () => this.#free(worker),
      idle: () => this.#endIdle(worker),
      died: () => this.#forget(worker),
    });
    this.#workers.add(worker);
    worker.send(this.#packSetup(worker.stopped));
    return worker;
  }

  #packSetup(stopped: Int32Array | null): unknown {
    return this.#sendable(
      "start-up function",
      () => this.#kind.pack([SETUP, 0, { ...this.#setup, stopped }], []),
    );
  }

  #run(worker: PooledWorker, errand: Errand): void {
    this.#activate();
    if (!worker.run(errand)) this.#free(worker);
  }

  /** A worker has made its call. Called before the call is settled, so that it is busy again soon. */
  #free(worker: PooledWorker): void {
    if (worker.calls < this.#maxCalls) {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        if (worker.run(next)) return;
      }
      if (!this.#shutdown) {
        this.#idle.push(worker);
        worker.rest();
        this.#deactivate();
        return;
      }
    }
    worker.end();
    this.#replace();
  }

  #retire(worker: PooledWorker): void {
    this.#activate();
    worker.end();
  }

  #endIdle(worker: PooledWorker): void {
    const index = this.#idle.indexOf(worker);
    if (index < 0) return;
    this.#idle.splice(index, 1);
    this.#retire(worker);
  }

  /** A worker is gone. */
  #forget(worker: PooledWorker): void {
    this.#workers.delete(worker);
    const index = this.#idle.indexOf(worker);
    if (index >= 0) this.#idle.splice(index, 1);
    // Whoever waits for the shutdown must not see a moment without work in between.
    this.#replace();
    if (index < 0) this.#deactivate();
  }

  /** Starts workers for the calls that wait, as far as there may be more. */
  #replace(): void {
    while (this.#queue.size > 0 && this.#workers.size < this.#maxWorkers) {
      const errand = this.#queue.shift()!;
      try {
        this.#run(this.#start(), errand);
      } catch (error) {
        if (errand.begin({ tell() {}, terminate() {} })) errand.threw(error);
      }
    }
    this.#settle();
  }

  #activate(): void {
    if (this.#active++ > 0) return;
    this.#release = holdLoop();
  }

  #deactivate(): void {
    this.#active--;
    this.#settle();
  }

  #settle(): void {
    if (this.#active > 0 || this.#release === null) return;
    this.#over.wakeAll();
    this.#release();
    this.#release = null;
  }
}

function withoutPeriod(error: unknown): string {
  return (error as Error).message.replace(/\.$/, "");
}
