import { parentPort, workerData } from "node:worker_threads";
import { disclose, enclose } from "./_envelope.ts";
import { WorkerBody } from "./_worker_body.ts";
import type { ToWorker } from "./_worker_messages.ts";

/** What tells this module that it is to be the main module of a thread in a pool. */
export const POOLED = "evergreen: a thread of a pool";

if (workerData === POOLED && parentPort !== null) {
  const port = parentPort;
  const body = new WorkerBody((message, moved) => {
    const value = message[2];
    const isLarge = typeof value === "object" && value !== null;
    port.postMessage(isLarge ? enclose(message) : message, moved as never[]);
  });
  // In the step that runs this module: what was sent before is delivered then, or lost.
  port.on("message", (received) => body.receive(disclose<ToWorker>(received)));
}
