// Two tasks that take turns for a while and nothing else, to be profiled. See docs/performance.md.
import { sleep } from "../mod.ts";
import { inTasks } from "./_task.ts";

async function takeTurns(): Promise<void> {
  for (let i = 0; i < 20_000_000; i++) await sleep(0);
}

await inTasks(takeTurns, takeTurns);
