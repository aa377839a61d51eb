import { EventLoop } from "../mod.ts";
import { elapsed, reportGrowth } from "./_growth.ts";
import { inTask } from "./_task.ts";

const LONGEST = 20;

/** Create `count` timers, wait until all are due, and return how long they take to be called. */
async function callTimers(count: number): Promise<number> {
  let duration = 0;
  await inTask(async () => {
    const loop = EventLoop.current();
    const all = Promise.withResolvers<void>();
    let left = count;
    const called = () => {
      if (--left === 0) all.resolve();
    };
    for (let i = 0; i < count; i++) loop.callLater(1 + (i * 7_919 % 997) * LONGEST / 997, called);
    const end = performance.now() + LONGEST + 1;
    while (performance.now() < end);
    duration = await elapsed(() => loop.cooperate(all.promise));
  });
  return duration;
}

await reportGrowth("timers that have come due", 10_000, callTimers);

await reportGrowth("timers created and cancelled", 10_000, async (count) => {
  let duration = 0;
  await inTask(async () => {
    const loop = EventLoop.current();
    duration = await elapsed(() => {
      const handlers = Array.from(
        { length: count },
        (_, i) => loop.callLater(10_000 + (i * 7_919) % 60_000, () => {}),
      );
      for (const handler of handlers) handler.cancel();
    });
  });
  return duration;
});
