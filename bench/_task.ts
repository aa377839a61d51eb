import { sleep, spawn, type Task } from "../mod.ts";

/**
 * Run `body` in a task and wait for it.
 *
 * A body that fails fails the benchmark: a loop that did nothing would be the fastest of all.
 */
export async function inTask(body: () => unknown): Promise<void> {
  const outcome = Promise.withResolvers<void>();
  const running = spawn(async () => {
    try {
      await body();
      outcome.resolve();
    } catch (error) {
      outcome.reject(error);
    }
  });
  await running.join();
  await outcome.promise;
}

/** Run every one of `bodies` in a task of its own and wait for all. */
export function inTasks(...bodies: (() => unknown)[]): Promise<void> {
  return inTask(async () => {
    const tasks = bodies.map((body) => spawn(body));
    for (const each of tasks) await each.join();
  });
}

/** Wait until every one of `tasks` waits, in a task. */
export async function allWaiting(tasks: readonly Task[]): Promise<void> {
  // They were started in order, so the last is the last to get there.
  while (tasks.at(-1)!.state !== "waiting") await sleep(0);
}
