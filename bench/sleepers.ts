import { sleep, spawn, type Task } from "../mod.ts";
import { collectGarbage, median } from "./_measure.ts";
import { report } from "./_report.ts";
import { inTask } from "./_task.ts";

const SLEEPERS = 100_000;
const ROUNDS = 5;

/** How long sleeper `i` sleeps, 10 to 1,000 milliseconds. */
function delay(i: number): number {
  return 10 + (i * 7_919) % 991;
}

/** How many milliseconds after the last of all sleepers was due the last of them was awake. */
async function overshootOf(fallAsleep: (milliseconds: number) => Promise<void>, start: Start) {
  let due = 0;
  let awake = 0;
  collectGarbage();
  await start(async (i) => {
    due = Math.max(due, performance.now() + delay(i));
    await fallAsleep(delay(i));
    awake = performance.now();
  });
  return awake - due;
}

type Start = (sleeper: (i: number) => Promise<void>) => Promise<unknown>;

function inTaskEach(sleeper: (i: number) => Promise<void>): Promise<void> {
  return inTask(async () => {
    const tasks: Task[] = [];
    for (let i = 0; i < SLEEPERS; i++) tasks.push(spawn(sleeper, i));
    for (const each of tasks) await each.join();
  });
}

async function asFunctionEach(sleeper: (i: number) => Promise<void>): Promise<void> {
  const running: Promise<void>[] = [];
  for (let i = 0; i < SLEEPERS; i++) running.push(sleeper(i));
  for (const each of running) await each;
}

function sleepBare(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

const ours: number[] = [];
const bare: number[] = [];
for (let round = -1; round < ROUNDS; round++) {
  const oursNow = await overshootOf(sleep, inTaskEach);
  const bareNow = await overshootOf(sleepBare, asFunctionEach);
  if (round < 0) continue;
  ours.push(oursNow);
  bare.push(bareNow);
}

report({
  operation: "100,000 tasks asleep 10 to 1,000 ms: the last is late by",
  ours: median(ours),
  unit: "ms",
  bound: { kind: "at most", limit: 400 },
});
report({
  operation: "100,000 tasks asleep 10 to 1,000 ms, to bare `setTimeout`",
  ours: median(ours),
  floor: median(bare),
  unit: "ms",
});
