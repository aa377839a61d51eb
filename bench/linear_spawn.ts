import { spawn, type Task } from "../mod.ts";
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

await reportGrowth(
  "tasks spawned and joined",
  10_000,
  (count) => elapsed(() => spawnAndJoin(count)),
);
