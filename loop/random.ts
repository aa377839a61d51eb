/**
 * Gives numbers in [0, n) drawn from `seed`, the same sequence at every run (the generator known as
 * mulberry32: 32 bits of state are plenty to vary a schedule, and it is four lines).
 */
export function seededChoice(seed: number): (n: number) => number {
  let state = seed >>> 0;
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * n);
  };
}
