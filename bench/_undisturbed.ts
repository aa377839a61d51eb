import type { Child } from "./_child.ts";

/** How often something is measured at the most. */
const TRIES = 3;
/** How much of one processor others may use meanwhile. */
const TOLERATED = 0.06;
/** How many times a second the system counts. */
const TICKS = 100;

/**
 * Do `measure`, and do it again if other programs have used the processors meanwhile: what is left to a server and
 * its load then says nothing of either. It is seen on Linux only.
 *
 * @param own The processes that take part, besides those that `measure` has begun and ended.
 */
export async function undisturbed<T>(own: readonly Child[], measure: () => Promise<T>): Promise<T> {
  for (let left = TRIES;; left--) {
    const begin = performance.now();
    const before = othersTime(own);
    const result = await measure();
    const seconds = (performance.now() - begin) / 1_000;
    if (left === 1 || (othersTime(own) - before) / seconds < TOLERATED) return result;
  }
}

/** Seconds of processor time that others have used since the machine was started. */
function othersTime(own: readonly Child[]): number {
  if (Deno.build.os !== "linux") return 0;
  const [user, nice, system, , , hard, soft, stolen] = numbersOf("/proc/stat", /^cpu +/);
  let ticks = user + nice + system + hard + soft + stolen;
  for (const name of ["self", ...own.map(({ id }) => id)]) {
    // After the name, which may have spaces in it, the 12th and following ones are its time, and its children's.
    const fields = numbersOf(`/proc/${name}/stat`, /^.*\) /);
    ticks -= fields[11] + fields[12] + fields[13] + fields[14];
  }
  return ticks / TICKS;
}

function numbersOf(file: string, head: RegExp): number[] {
  const [line] = Deno.readTextFileSync(file).split("\n");
  return line.replace(head, "").split(" ").map(Number);
}
