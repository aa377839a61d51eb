import { checkDelay } from "../loop/arguments.ts";
import { Alarm } from "../loop/timers.ts";
import { type Selectable, selectable } from "../tasks/selectable.ts";

/**
 * A case for {@linkcode select} that is ready after a time, and gives `undefined`.
 *
 * @param delay In milliseconds, from when `select` is called. Zero or less: ready at once, so `select` does not
 * wait.
 * @throws {RangeError} If `delay` is NaN.
 */
export function after(delay: number): Selectable<undefined> {
  checkDelay("wait for a time", delay);
  return selectable<undefined>({
    poll: () => delay <= 0 ? { value: undefined } : null,
    enlist: (waiter) => {
      const { scheduler } = waiter.strand;
      const alarm = new Alarm(() => waiter.wake(undefined));
      scheduler.timerIn(delay, alarm);
      return () => scheduler.cancelTimer(alarm);
    },
    describe: () => `after(${delay})`,
  });
}
