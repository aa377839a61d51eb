import { Scheduler } from "./scheduler.ts";
import { OUTSIDE } from "./wait.ts";

/**
 * Keeps the loop going for something that goes on outside of it, in other threads or processes. What will come
 * from there is no deadlock, and it takes real time.
 *
 * @returns A function that ends it, to be called once.
 */
export function holdLoop(): () => void {
  const scheduler = Scheduler.current();
  const { census } = scheduler;
  census.holds++;
  census.waits[OUTSIDE]++;
  scheduler.check();
  return () => {
    census.holds--;
    census.waits[OUTSIDE]--;
    scheduler.check();
  };
}
