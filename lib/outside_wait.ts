import { Scheduler } from "../loop/scheduler.ts";
import { OUTSIDE, Wait } from "../loop/wait.ts";

/**
 * Waits for a promise of the platform's, as a blocking call whose checkpoint was made.
 *
 * @param what What is waited for, as a report says it.
 * @param left Called if the wait ends early. What the promise brings then is for nobody.
 */
export function waitOutside<T>(what: string, promise: Promise<T>, left: () => void): Promise<T> {
  const wait = Wait.begin<T>(Scheduler.current(), { describe: () => what }, OUTSIDE);
  promise.then((value) => wait.wake(value), (error) => wait.throw(error));
  wait.onLeave(left);
  return wait.promise;
}
