import { collectGarbage, median } from "./_measure.ts";
import { report } from "./_report.ts";

const ROUNDS = 11;
const WARM_UP = 3;

/**
 * Report how much longer `body` takes for ten times as many.
 *
 * @param operation What is done, for the table.
 * @param count The smaller number.
 * @param body Does it for a number and returns how many milliseconds it took, preparations left out.
 */
export async function reportGrowth(
  operation: string,
  count: number,
  body: (count: number) => Promise<number>,
): Promise<void> {
  const few: number[] = [];
  const many: number[] = [];
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    collectGarbage();
    const fewNow = await body(count);
    collectGarbage();
    const manyNow = await body(10 * count);
    if (round < 0) continue;
    few.push(fewNow);
    many.push(manyNow);
  }
  report({
    operation: `${operation}, ${format(10 * count)} to ${format(count)}`,
    ours: median(many),
    floor: median(few),
    unit: "ms",
    bound: { kind: "at most", limit: 12 },
  });
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
