import { Queue } from "../mod.ts";
import { awaitNull } from "./_floor.ts";
import { compare } from "./_measure.ts";
import { report } from "./_report.ts";
import { inTasks } from "./_task.ts";

function putAndGet(items: number): Promise<void> {
  const queue = new Queue<number>(100);
  return inTasks(
    async () => {
      for (let i = 0; i < items; i++) await queue.put(i);
    },
    async () => {
      for (let i = 0; i < items; i++) await queue.get();
    },
  );
}

report({
  operation: "`Queue` put and get, bound of 100, to `await null`",
  ...await compare(putAndGet, awaitNull, { operations: 100_000 }),
  unit: "ns",
  bound: { kind: "at most", limit: 3 },
});
