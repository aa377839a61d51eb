import { AsyncLocalStorage } from "node:async_hooks";

// Every task runs in an async context of its own, so a bare async function that has one too is the
// least that a task can cost.
const storage = new AsyncLocalStorage<object>();

/** Run `body` with an async context of its own, as every task is. */
export function inContext<T>(body: () => T): T {
  return storage.run({}, body);
}

/** Await `null` `n` times, one after the other. */
export function awaitNull(n: number): Promise<void> {
  return inContext(async () => {
    for (let i = 0; i < n; i++) await null;
  });
}

/** Await `null` `n` times in all, `functions` async functions taking turns. */
export async function awaitNullAmong(functions: number, n: number): Promise<void> {
  const running: Promise<void>[] = [];
  for (let i = 0; i < functions; i++) running.push(awaitNull(n / functions));
  await Promise.all(running);
}
