import { Lock, sleep } from "../mod.ts";
import { awaitNull } from "./_floor.ts";
import { compare } from "./_measure.ts";
import { report } from "./_report.ts";
import { inTasks } from "./_task.ts";

const TASKS = 100;

function contend(turns: number): Promise<void> {
  const lock = new Lock();
  const take = async () => {
    for (let i = 0; i < turns / TASKS; i++) {
      await lock.acquire();
      await sleep(0);
      lock.release();
    }
  };
  return inTasks(...new Array<typeof take>(TASKS).fill(take));
}

report({
  operation: "`Lock` contended by 100 tasks, held over a switch, to `await null`",
  ...await compare(contend, awaitNull, { operations: 1_000 * TASKS }),
  unit: "ns",
  bound: { kind: "at most", limit: 10 },
});
