import { Lock, sleep } from "../mod.ts";
import { awaitNull } from "./_floor.ts";
import { handOverAmong } from "./_least_switch.ts";
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

// Every turn waits for the lock, then gives way while it holds it.
report({
  operation: "`Lock` contended by 100 tasks, held over a switch, to 2 least switches",
  ...await compare(contend, (n) => handOverAmong(TASKS, 2 * n), { operations: 1_000 * TASKS }),
  unit: "ns",
});
