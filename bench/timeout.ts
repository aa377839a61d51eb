import { Timeout } from "../mod.ts";
import { compare } from "./_measure.ts";
import { report } from "./_report.ts";
import { inTask } from "./_task.ts";

function nothing(): void {}

function runWithTimeout(calls: number): Promise<void> {
  return inTask(async () => {
    for (let i = 0; i < calls; i++) await new Timeout(1_000).run(nothing);
  });
}

function setAndClear(timers: number): void {
  for (let i = 0; i < timers; i++) clearTimeout(setTimeout(nothing, 1_000));
}

report({
  operation: "`Timeout.run` of what does not wait, to `setTimeout` and `clearTimeout`",
  ...await compare(runWithTimeout, setAndClear, { operations: 20_000 }),
  unit: "ns",
  bound: { kind: "at most", limit: 0.5 },
});
