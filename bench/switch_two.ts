import { sleep } from "../mod.ts";
import { awaitNull } from "./_floor.ts";
import { handOverAmong } from "./_least_switch.ts";
import { compare, type MeasureOptions } from "./_measure.ts";
import { report } from "./_report.ts";
import { inTasks } from "./_task.ts";

const options: MeasureOptions = { operations: 200_000 };

async function yieldRepeatedly(times: number): Promise<void> {
  for (let i = 0; i < times; i++) await sleep(0);
}

function switchBetweenTwo(switches: number): Promise<void> {
  const half = () => yieldRepeatedly(switches / 2);
  return inTasks(half, half);
}

report({
  operation: "switch between 2 tasks by `sleep(0)`, to `await null`",
  ...await compare(switchBetweenTwo, awaitNull, options),
  unit: "ns",
  bound: { kind: "at most", limit: 3 },
});

report({
  operation: "switch between 2 tasks by `sleep(0)`, to the least switch",
  ...await compare(switchBetweenTwo, (n) => handOverAmong(2, n), options),
  unit: "ns",
});
