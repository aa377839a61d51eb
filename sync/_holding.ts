import { checkCallback } from "../loop/arguments.ts";
import { TimeoutError } from "../loop/errors.ts";
import type { WaitOptions } from "../loop/wait.ts";

/** What can be held. */
interface Holdable {
  acquire(options?: WaitOptions): Promise<boolean>;
  release(): void;
}

/** Acquires, and gives what releases once. */
export async function hold(lock: Holdable, options?: WaitOptions): Promise<Disposable> {
  if (!await lock.acquire(options)) {
    throw new TimeoutError(
      `${lock.constructor.name} was not acquired within ${options?.timeout} ms`,
    );
  }
  let held = true;
  return {
    [Symbol.dispose](): void {
      if (!held) return;
      held = false;
      lock.release();
    },
  };
}

/** Calls `fn` while holding the lock. */
export async function holding<T>(
  lock: Holdable,
  fn: () => T | Promise<T>,
  options?: WaitOptions,
): Promise<T> {
  checkCallback("hold a lock for", fn);
  using _ = await hold(lock, options);
  return await fn();
}
