import { AsyncLocalStorage } from "node:async_hooks";

// What any library that tells which task is the current one needs for a switch, and nothing else: each
// function in an async context of its own, a promise for each time it waits, a line of those who are ready,
// and one look at the context.
const storage = new AsyncLocalStorage<object>();

/** Hand over `n` times in all, `functions` async functions taking turns. */
export async function handOverAmong(functions: number, n: number): Promise<void> {
  const ready: (() => void)[] = new Array(functions);
  let last = 0;
  let size = 0;
  let next = 0;

  let resolver: () => void;
  const keepResolver = (resolve: () => void): void => {
    resolver = resolve;
  };

  function handOver(): Promise<void> {
    if (storage.getStore() === undefined) throw new Error("Nobody is running");
    const promise = new Promise<void>(keepResolver);
    ready[last] = resolver;
    last = last + 1 === functions ? 0 : last + 1;
    // Until the last has begun there is nobody to hand over to.
    if (++size === functions) resume();
    return promise;
  }

  function resume(): void {
    const resolve = ready[next];
    next = next + 1 === functions ? 0 : next + 1;
    size--;
    resolve();
  }

  async function takeTurns(times: number): Promise<void> {
    for (let i = 0; i < times; i++) await handOver();
    // Whoever still waits is resumed by nobody else.
    if (size > 0) resume();
  }

  const running: Promise<void>[] = [];
  for (let i = 0; i < functions; i++) {
    running.push(storage.run({}, takeTurns, n / functions));
  }
  await Promise.all(running);
}
