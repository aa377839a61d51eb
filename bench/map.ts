import pMap from "npm:p-map@7";
import { TaskPoolExecutor } from "../mod.ts";
import { compare } from "./_measure.ts";
import { report } from "./_report.ts";
import { inTask } from "./_task.ts";

const CONCURRENCY = 100;
const items = Array.from({ length: 100_000 }, (_, i) => i);

// Async, as anything worth limiting is.
// deno-lint-ignore require-await
async function increment(value: number): Promise<number> {
  return value + 1;
}

function mapInPool(): Promise<void> {
  return inTask(async () => {
    await using pool = new TaskPoolExecutor(CONCURRENCY);
    const results: number[] = [];
    for await (const result of pool.map(increment, items)) results.push(result);
    if (results.length !== items.length) throw new Error("The pool lost items");
  });
}

function mapByPMap(): Promise<number[]> {
  return pMap(items, increment, { concurrency: CONCURRENCY });
}

report({
  operation: "`TaskPoolExecutor(100).map` of 100,000 items, to p-map",
  ...await compare(mapInPool, mapByPMap, { operations: items.length }),
  unit: "ns",
  bound: { kind: "at most", limit: 1 },
});
