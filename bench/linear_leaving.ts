import { Lock, spawn, type Task, TaskExit } from "../mod.ts";
import { elapsed, reportGrowth } from "./_growth.ts";
import { allWaiting, inTask } from "./_task.ts";

/** From the middle of `tasks` outwards, so that nobody who leaves is near an end of the line. */
function* fromTheMiddle(tasks: readonly Task[]): Iterable<Task> {
  const middle = tasks.length / 2;
  for (let i = 0; i < middle; i++) {
    yield tasks[middle + i];
    yield tasks[middle - 1 - i];
  }
}

/** How long `count` waiters of a `Lock` take to leave its line, killed where they wait. */
async function leaveLine(count: number): Promise<number> {
  let duration = 0;
  await inTask(async () => {
    const lock = new Lock();
    await lock.acquire();
    const waiters: Task[] = [];
    for (let i = 0; i < count; i++) waiters.push(spawn(() => lock.acquire()));
    await allWaiting(waiters);
    // One for all: what an error costs to make is not what is measured.
    const error = new TaskExit();
    duration = await elapsed(async () => {
      for (const waiter of fromTheMiddle(waiters)) waiter.kill(error);
      for (const waiter of waiters) await waiter.join();
    });
  });
  return duration;
}

await reportGrowth("waiters leaving the middle of a line", 1_000, leaveLine);
await reportGrowth("waiters leaving the middle of a line", 10_000, leaveLine);
