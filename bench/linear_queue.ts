import { Queue } from "../mod.ts";
import { elapsed, reportGrowth } from "./_growth.ts";
import { inTask } from "./_task.ts";

function fillAndDrain(items: number): Promise<void> {
  return inTask(async () => {
    const queue = new Queue<number>();
    for (let i = 0; i < items; i++) queue.putNowait(i);
    for (let i = 0; i < items; i++) await queue.get();
  });
}

await reportGrowth(
  "items put into a `Queue`, then got",
  10_000,
  (count) => elapsed(() => fillAndDrain(count)),
);
