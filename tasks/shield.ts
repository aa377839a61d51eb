import { Scheduler } from "../loop/scheduler.ts";
import { Strand } from "../loop/strand.ts";
import { abortIfKilled } from "./task.ts";

/**
 * Runs `body`, and lets nobody kill or time out the current task until it has ended. What came meanwhile
 * is thrown at the next blocking call after it. A {@linkcode Timeout} that was started inside still works.
 *
 * @returns What `body` returns.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { shield, sleep, spawn } from "@evergreen/evergreen";
 *
 * const log: string[] = [];
 * const saver = spawn(async () => {
 *   await shield(async () => {
 *     log.push("saving");
 *     await sleep(1);
 *     log.push("saved");
 *   });
 *   await sleep(0);
 *   log.push("never");
 * });
 * await sleep(0);
 * saver.kill();
 * await saver.join();
 * assertEquals(log, ["saving", "saved"]);
 * ```
 */
export async function shield<T>(body: () => Promise<T> | T): Promise<T> {
  const strand = Strand.current(Scheduler.current());
  strand.shield();
  try {
    return await body();
  } finally {
    strand.unshield();
    if (strand.task !== null) abortIfKilled(strand.task);
  }
}
