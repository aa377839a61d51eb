import { collectGarbage, median } from "./_measure.ts";
import { report } from "./_report.ts";

const ROUNDS = 9;
const WARM_UP = 2;

/** Does something for `count` and returns how many milliseconds that took, preparations left out. */
export type Timed = (count: number) => Promise<number>;

/**
 * Report how many times as long `ours` takes for ten times as many, and `floor`, which does the same
 * without this library.
 *
 * Linear is 10 times, but what is large no longer fits in the processor's caches, and the platform's own
 * functions grow by more than that for the same reason. So what is asked is no more than 12 times, or 1.2
 * times the growth of the floor, whichever is larger.
 */
export async function reportGrowth(
  operation: string,
  count: number,
  ours: Timed,
  floor: Timed,
): Promise<void> {
  report({
    operation: `${operation}, ${format(10 * count)} to ${format(count)}`,
    ours: await growth(ours, count),
    floor: Math.max(10, await growth(floor, count)),
    unit: "times",
    bound: { kind: "at most", limit: 1.2 },
  });
}

async function growth(body: Timed, count: number): Promise<number> {
  const ratios: number[] = [];
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    collectGarbage();
    // Ten times, so that both sides do as much in all, and leave as much garbage.
    let few = 0;
    for (let i = 0; i < 10; i++) few += await body(count);
    collectGarbage();
    const many = await body(10 * count);
    if (round >= 0) ratios.push(10 * many / few);
  }
  return median(ratios);
}

/** How many milliseconds `body` takes. */
export async function elapsed(body: () => unknown): Promise<number> {
  const begin = performance.now();
  await body();
  return performance.now() - begin;
}

function format(count: number): string {
  return count.toLocaleString("en-US");
}
