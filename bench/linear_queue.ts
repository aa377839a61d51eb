import { Queue } from "../mod.ts";
import { elapsed, reportGrowth } from "./_growth.ts";
import { inTask } from "./_task.ts";

function fillAndDrainQueue(items: number): Promise<void> {
  return inTask(async () => {
    const queue = new Queue<number>();
    for (let i = 0; i < items; i++) queue.putNowait(i);
    for (let i = 0; i < items; i++) await queue.get();
  });
}

async function fillAndReadArray(items: number): Promise<void> {
  const array: number[] = [];
  for (let i = 0; i < items; i++) array.push(i);
  for (const item of array) await item;
}

await reportGrowth(
  "items put into a `Queue`, then got",
  10_000,
  (count) => elapsed(() => fillAndDrainQueue(count)),
  (count) => elapsed(() => fillAndReadArray(count)),
);
