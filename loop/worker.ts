/** Whether this thread is a Worker, the web's kind or Node's. */
export function inWorker(): boolean {
  return typeof (globalThis as { DedicatedWorkerGlobalScope?: unknown })
    .DedicatedWorkerGlobalScope === "function"; // The only name of this kind that Node's Workers have too.
}
