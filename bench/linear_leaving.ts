import { Lock, spawn, type Task, TaskExit } from "../mod.ts";
import { startBareWaiters } from "./_bare_waiters.ts";
import { elapsed, reportGrowth } from "./_growth.ts";
import { allWaiting, inTask } from "./_task.ts";

/** From the middle of `line` outwards, so that nobody who leaves is near an end of it. */
function* fromTheMiddle<T>(line: readonly T[]): Iterable<T> {
  const middle = line.length / 2;
  for (let i = 0; i < middle; i++) {
    yield line[middle + i];
    yield line[middle - 1 - i];
  }
}

/** How long `count` waiters of a `Lock` take to leave its line, killed where they wait. */
async function killTasks(count: number): Promise<number> {
  let duration = 0;
  await inTask(async () => {
    const lock = new Lock();
    await lock.acquire();
    const waiters: Task[] = [];
    for (let i = 0; i < count; i++) waiters.push(spawn(() => lock.acquire()));
    await allWaiting(waiters);
    // One for all: what an error costs to make is not what is measured.
    const error = new TaskExit();
    duration = await elapsed(() => {
      for (const waiter of fromTheMiddle(waiters)) waiter.kill(error);
    });
    for (const waiter of waiters) await waiter.join();
  });
  return duration;
}

async function failFunctions(count: number): Promise<number> {
  const waiters = startBareWaiters(count);
  const error = new Error("Leave");
  const duration = await elapsed(() => {
    for (const waiter of fromTheMiddle(waiters)) waiter.fail(error);
  });
  for (const waiter of waiters) await waiter.ended;
  return duration;
}

for (const count of [1_000, 10_000]) {
  await reportGrowth("waiters leaving the middle of a line", count, killTasks, failFunctions);
}
