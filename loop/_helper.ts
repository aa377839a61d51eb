import { systemClock } from "./clock.ts";

/** How long to stay for the helper thread at the most, in milliseconds. */
const LIMIT = 2;
/** How many looks later the platform has its result, too. */
const MORE = 16;

/**
 * Stays until the helper thread has left the system, in this thread, which takes some microseconds: what a program
 * has closed is then given back to the system, and not a moment later.
 *
 * @param look Lets other threads run, and looks.
 */
export function untilLeft(look: () => boolean): void {
  const limit = systemClock.time() + LIMIT;
  while (!look()) if (systemClock.time() >= limit) return;
  for (let i = 0; i < MORE; i++) look();
}
