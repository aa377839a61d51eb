import { Event, spawn, type Task } from "../mod.ts";
import { startBareWaiters } from "./_bare_waiters.ts";
import { elapsed, reportGrowth } from "./_growth.ts";
import { allWaiting, inTask } from "./_task.ts";

async function wakeTasks(count: number): Promise<number> {
  let duration = 0;
  await inTask(async () => {
    const event = new Event();
    const waiters: Task[] = [];
    for (let i = 0; i < count; i++) waiters.push(spawn(() => event.wait()));
    await allWaiting(waiters);
    duration = await elapsed(async () => {
      event.set();
      for (const waiter of waiters) await waiter.join();
    });
  });
  return duration;
}

function wakeFunctions(count: number): Promise<number> {
  const waiters = startBareWaiters(count);
  return elapsed(async () => {
    for (const waiter of waiters) waiter.wake();
    for (const waiter of waiters) await waiter.ended;
  });
}

await reportGrowth("tasks woken by one `Event`", 10_000, wakeTasks, wakeFunctions);
