import { Event, sleep, spawn } from "../mod.ts";
import { inContext } from "./_floor.ts";
import { bytesEach } from "./_memory.ts";
import { report } from "./_report.ts";
import { inTask } from "./_task.ts";

const WAITERS = 100_000;
const event = new Event();
let started = 0;

async function waitForEvent(): Promise<void> {
  started++;
  await event.wait();
}

const ours = await bytesEach(WAITERS, (count) =>
  inTask(async () => {
    for (let i = 0; i < count; i++) spawn(waitForEvent);
    while (started < count) await sleep(1);
  }));

report({
  operation: "heap of a task that waits for an `Event`, of 100,000",
  ours,
  unit: "bytes",
  bound: { kind: "at most", limit: 1_000 },
});

// The same without this library: all that is kept of each is what resumes it.
const resolvers: (() => void)[] = [];

async function waitBare(): Promise<void> {
  await new Promise<void>((resolve) => resolvers.push(resolve));
}

report({
  operation: "heap of a task that waits for an `Event`, to a bare async function",
  ours,
  floor: await bytesEach(WAITERS, (count) => {
    for (let i = 0; i < count; i++) inContext(waitBare);
  }),
  unit: "bytes",
});
if (resolvers.length !== WAITERS) throw new Error("Not all of them wait");
Deno.exit();
