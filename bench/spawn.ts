import { spawn, type Task } from "../mod.ts";
import { inContext } from "./_floor.ts";
import { compare } from "./_measure.ts";
import { report } from "./_report.ts";
import { inTask } from "./_task.ts";

async function awaitOnce(): Promise<void> {
  await null;
}

function spawnAndJoin(tasks: number): Promise<void> {
  return inTask(async () => {
    const spawned: Task[] = [];
    for (let i = 0; i < tasks; i++) spawned.push(spawn(awaitOnce));
    for (const each of spawned) await each.join();
  });
}

async function callAndAwait(functions: number): Promise<void> {
  const called: Promise<void>[] = [];
  for (let i = 0; i < functions; i++) called.push(inContext(awaitOnce));
  for (const each of called) await each;
}

report({
  operation: "spawn and join of 100,000 tasks, to `AsyncLocalStorage.run`",
  ...await compare(spawnAndJoin, callAndAwait, { operations: 100_000 }),
  unit: "ns",
  bound: { kind: "at most", limit: 1.5 },
});
