/** Something that can be done `n` times in a row. */
export type Body = (n: number) => unknown;

/** How {@linkcode compare} and {@linkcode time} repeat what they measure. */
export interface MeasureOptions {
  /** How many operations a round does. */
  operations: number;
  /** How many rounds are measured, default 15. */
  rounds?: number;
  /** How many rounds are run before, unmeasured, for the compiler to settle; default 4. */
  warmUp?: number;
}

/** Nanoseconds an operation, the median of all rounds. */
export interface Comparison {
  ours: number;
  floor: number;
}

/**
 * Measure `ours` and `floor` in turns, so that a machine that gets slower half way through is as
 * slow for both.
 */
export async function compare(
  ours: Body,
  floor: Body,
  { operations, rounds = 15, warmUp = 4 }: MeasureOptions,
): Promise<Comparison> {
  const oursTimes: number[] = [];
  const floorTimes: number[] = [];
  for (let round = -warmUp; round < rounds; round++) {
    const oursTime = await time(ours, operations);
    const floorTime = await time(floor, operations);
    if (round < 0) continue;
    oursTimes.push(oursTime);
    floorTimes.push(floorTime);
  }
  return { ours: median(oursTimes), floor: median(floorTimes) };
}

/** Nanoseconds an operation, of one round. */
export async function time(body: Body, operations: number): Promise<number> {
  collectGarbage();
  const begin = performance.now();
  await body(operations);
  return (performance.now() - begin) * 1e6 / operations;
}

/** The middle one of `values`. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

/** Collect the young garbage now, so that the next to be measured does not pay for it. */
export function collectGarbage(): void {
  // A full collection would also throw away compiled code, and the next round would measure its compilation.
  gc?.({ type: "minor" });
}

/** Collect all garbage. */
export function collectAllGarbage(): void {
  if (gc === undefined) throw new Error("Cannot collect garbage: run with --v8-flags=--expose-gc");
  gc({ type: "major" });
}

const { gc } = globalThis as { gc?: (options: { type: "minor" | "major" }) => void };
