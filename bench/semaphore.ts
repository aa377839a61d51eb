import { Semaphore } from "../mod.ts";
import { awaitNull } from "./_floor.ts";
import { compare } from "./_measure.ts";
import { report } from "./_report.ts";
import { inTask } from "./_task.ts";

function acquireAndRelease(times: number): Promise<void> {
  const semaphore = new Semaphore(1);
  return inTask(async () => {
    for (let i = 0; i < times; i++) {
      await semaphore.acquire();
      semaphore.release();
    }
  });
}

report({
  operation: "`Semaphore` acquire and release, free, to `await null`",
  ...await compare(acquireAndRelease, awaitNull, { operations: 200_000 }),
  unit: "ns",
  bound: { kind: "at most", limit: 1.5 },
});
