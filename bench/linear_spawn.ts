import { spawn, type Task } from "../mod.ts";
import { inContext } from "./_floor.ts";
import { elapsed, reportGrowth } from "./_growth.ts";
import { inTask } from "./_task.ts";

async function awaitOnce(): Promise<void> {
  await null;
}

function spawnAndJoin(count: number): Promise<void> {
  return inTask(async () => {
    const tasks: Task[] = [];
    for (let i = 0; i < count; i++) tasks.push(spawn(awaitOnce));
    for (const each of tasks) await each.join();
  });
}

async function callAndAwait(count: number): Promise<void> {
  const called: Promise<void>[] = [];
  for (let i = 0; i < count; i++) called.push(inContext(awaitOnce));
  for (const each of called) await each;
}

await reportGrowth(
  "tasks spawned and joined",
  10_000,
  (count) => elapsed(() => spawnAndJoin(count)),
  (count) => elapsed(() => callAndAwait(count)),
);
