import { Event, spawn, type Task } from "../mod.ts";
import { elapsed, reportGrowth } from "./_growth.ts";
import { allWaiting, inTask } from "./_task.ts";

await reportGrowth("tasks woken by one `Event`", 10_000, async (count) => {
  let duration = 0;
  await inTask(async () => {
    const event = new Event();
    const waiters: Task[] = [];
    for (let i = 0; i < count; i++) waiters.push(spawn(() => event.wait()));
    await allWaiting(waiters);
    duration = await elapsed(async () => {
      event.set();
      for (const each of waiters) await each.join();
    });
  });
  return duration;
});
