import { inContext } from "./_floor.ts";

/** An async function that waits, made of nothing but a promise. */
export interface BareWaiter {
  wake(): void;
  fail(error: unknown): void;
  /** Fulfilled when it has ended, in whichever way. */
  readonly ended: Promise<void>;
}

/** Start `count` async functions that wait, each in an async context of its own. */
export function startBareWaiters(count: number): BareWaiter[] {
  return Array.from({ length: count }, () => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    return { wake: resolve, fail: reject, ended: inContext(() => waitFor(promise)) };
  });
}

async function waitFor(promise: Promise<void>): Promise<void> {
  try {
    await promise;
  } catch {
    // It was made to fail: that is how it leaves.
  }
}
