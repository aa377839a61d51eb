/**
 * Tasks, which look like threads, and what runs and limits them; and futures, the results of calls that are
 * made elsewhere.
 *
 * | To... | Use |
 * | --- | --- |
 * | run something beside the rest | {@linkcode spawn} |
 * | name it, join it, kill it | {@linkcode Task} |
 * | have tasks end together, and see their errors | {@linkcode TaskGroup} |
 * | wait for some time | {@linkcode sleep} |
 * | limit how long something takes | {@linkcode Timeout} |
 * | finish something though killed | {@linkcode shield} |
 * | keep values apart by task | {@linkcode Local} |
 * | make calls, so many at a time | {@linkcode TaskPoolExecutor} |
 * | make them on other cores | {@linkcode ThreadPoolExecutor}, {@linkcode ProcessPoolExecutor} |
 * | see how far a call is | {@linkcode Progress} |
 * | run a server on every core | {@linkcode serveOnAllCores} |
 * | wait for the results of calls | {@linkcode Future}, {@linkcode wait}, {@linkcode asCompleted} |
 *
 * @module
 */
export { TaskExit } from "../loop/errors.ts";
export { BrokenExecutor } from "./broken_executor.ts";
export { CallStream, type StreamedCall } from "./call_stream.ts";
export { current } from "./current.ts";
export { type Callable, Executor, type ShutdownOptions, type Streamable } from "./executor.ts";
export { CancelledError, Future } from "./future.ts";
export { Local, type LocalConstructor } from "./local.ts";
export { ModuleFunction, moduleFunction, type ModuleFunctionOf } from "./module_function.ts";
export { ProcessPoolExecutor, type ProcessPoolOptions } from "./process_pool_executor.ts";
export { Progress, type Reporter } from "./progress.ts";
export { Selectable } from "./selectable.ts";
export {
  serveOnAllCores,
  type ServeOnAllCoresOptions,
  type ServerContext,
} from "./serve_on_all_cores.ts";
export { shield } from "./shield.ts";
export { sleep, type SleepOptions } from "./sleep.ts";
export { spawn, task } from "./spawn.ts";
export { Task, type TaskOptions, type TaskState } from "./task.ts";
export { TaskGroup } from "./task_group.ts";
export { TaskPoolExecutor } from "./task_pool_executor.ts";
export { ThreadPoolExecutor, type ThreadPoolOptions } from "./thread_pool_executor.ts";
export { Timeout } from "./timeout.ts";
export {
  ALL_COMPLETED,
  asCompleted,
  FIRST_COMPLETED,
  FIRST_EXCEPTION,
  type ReturnWhen,
  wait,
  type WaitFuturesOptions,
} from "./wait_futures.ts";
export type { WorkerPoolOptions } from "./worker_pool_options.ts";
