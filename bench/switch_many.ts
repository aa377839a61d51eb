import { sleep } from "../mod.ts";
import { awaitNull, awaitNullAmong } from "./_floor.ts";
import { handOverAmong } from "./_least_switch.ts";
import { compare, type MeasureOptions } from "./_measure.ts";
import { report } from "./_report.ts";
import { inTasks } from "./_task.ts";

const TASKS = 1_000;
// So many for each task that starting it does not count.
const options: MeasureOptions = { operations: 1_000 * TASKS, rounds: 9, warmUp: 2 };

async function yieldRepeatedly(times: number): Promise<void> {
  for (let i = 0; i < times; i++) await sleep(0);
}

function switchAmongMany(switches: number): Promise<void> {
  const share = () => yieldRepeatedly(switches / TASKS);
  return inTasks(...new Array<typeof share>(TASKS).fill(share));
}

report({
  operation: "switch among 1,000 tasks, to `await null`",
  ...await compare(switchAmongMany, awaitNull, options),
  unit: "ns",
  bound: { kind: "at most", limit: 4 },
});

report({
  operation: "switch among 1,000 tasks, to as many async functions",
  ...await compare(switchAmongMany, (n) => awaitNullAmong(TASKS, n), options),
  unit: "ns",
});

report({
  operation: "switch among 1,000 tasks, to the least switch",
  ...await compare(switchAmongMany, (n) => handOverAmong(TASKS, n), options),
  unit: "ns",
});
