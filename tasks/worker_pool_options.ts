import type { Callable } from "./executor.ts";

/** How the workers of a pool live, threads and processes alike. */
export interface WorkerPoolOptions {
  /** A worker that has made so many calls is replaced by a fresh one. The default is to keep it. */
  maxTasksPerWorker?: number;
  /**
   * Called in each worker before its first call. If it throws, the call that the worker was started for fails with a
   * `BrokenExecutor`.
   */
  // deno-lint-ignore no-explicit-any
  initializer?: Callable<any[], unknown>;
  /** What it is called with. */
  initializerArgs?: readonly unknown[];
  /** A worker that has had no call for so many milliseconds ends. The default is to keep it. */
  idleTimeout?: number;
  /**
   * Whether all buffers, message ports and streams in arguments and results are moved, not copied, where
   * memory can be: between threads. See {@linkcode transfer} for single ones.
   */
  transfer?: boolean;
  /** How many megabytes of objects a worker may keep on its heap. One that needs more dies, with its call. */
  memoryLimit?: number;
}
