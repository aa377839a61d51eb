import { sleep, spawn } from "../mod.ts";
import { inContext } from "./_floor.ts";
import { bytesEach } from "./_memory.ts";
import { report } from "./_report.ts";
import { inTask } from "./_task.ts";

const SLEEPERS = 100_000;
let started = 0;

async function sleepLong(): Promise<void> {
  started++;
  await sleep(600_000);
}

const ours = await bytesEach(SLEEPERS, (count) =>
  inTask(async () => {
    for (let i = 0; i < count; i++) spawn(sleepLong);
    while (started < count) await sleep(1);
  }));

report({
  operation: "heap of a sleeping task, of 100,000",
  ours,
  unit: "bytes",
  bound: { kind: "at most", limit: 1_600 },
});

// The same without this library.
async function sleepBare(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 600_000));
}

report({
  operation: "heap of a sleeping task, to a bare async function and `setTimeout`",
  ours,
  floor: await bytesEach(SLEEPERS, (count) => {
    for (let i = 0; i < count; i++) inContext(sleepBare);
  }),
  unit: "bytes",
});
Deno.exit();
