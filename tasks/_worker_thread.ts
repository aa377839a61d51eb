import { parentPort, workerData } from "node:worker_threads";
import { WorkerBody } from "./_worker_body.ts";

/** What tells this module that it is to be the main module of a thread in a pool. */
export const POOLED = "evergreen: a thread of a pool";

if (workerData === POOLED && parentPort !== null) {
  const port = parentPort;
  const body = new WorkerBody((message, moved) => port.postMessage(message, moved as never[]));
  // In the step that runs this module: what was sent before is delivered then, or lost.
  port.on("message", (message) => body.receive(message));
}
