import { ThreadPoolExecutor } from "../mod.ts";
import { compare } from "./_measure.ts";
import { report } from "./_report.ts";

const CALLS = 40;

/** About 10 ms of nothing but computing. */
function compute(turns: number): number {
  let x = 1;
  for (let i = 0; i < turns; i++) x = (x * 1103515245 + 12345) % 2147483648;
  return x;
}

async function computeIn(pool: ThreadPoolExecutor): Promise<void> {
  const results = await Array.fromAsync(pool.map(compute, Array(CALLS).fill(1_000_000)));
  if (new Set(results).size !== 1) throw new Error("The threads disagree");
}

const [two, one] = [new ThreadPoolExecutor(2), new ThreadPoolExecutor(1)];
const { ours, floor } = await compare(() => computeIn(two), () => computeIn(one), {
  operations: CALLS,
  rounds: 9,
  warmUp: 2,
});
report({
  operation: "Computing calls a second in 2 threads, to 1",
  ours: 1e9 / ours,
  floor: 1e9 / floor,
  unit: "per second",
  bound: { kind: "at least", limit: 1.8 },
});
await Promise.all([two.shutdown(), one.shutdown()]);
