/**
 * An extension of Evergreen: `every(ms, fn)` calls a function at equal distances, in a task of its own.
 *
 * @module
 */
import { current, sleep, spawn, type Task } from "@evergreen/evergreen";

/** Calls `fn` every `ms` milliseconds until the task that it gives is killed. What takes too long skips its turns. */
export function every(ms: number, fn: () => unknown): Task {
  const { loop } = current;
  const start = loop.time();
  return spawn(async () => {
    while (true) {
      await sleep(ms - (loop.time() - start) % ms);
      await fn();
    }
  });
}
