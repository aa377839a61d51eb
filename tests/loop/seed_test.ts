import { assert, assertEquals } from "@std/assert";
import { Event, Lock, Queue, sleep, spawn } from "../../mod.ts";
import { runLoop } from "../run_loop.ts";

/** The order in which ten tasks and callbacks, ready at the same time, come three times over. */
function order(seed?: number): Promise<string> {
  return runLoop(async (loop) => {
    const log: string[] = [];
    const tasks = Array.from({ length: 10 }, (_, i) =>
      spawn(async () => {
        for (let round = 0; round < 3; round++) {
          log.push(String(i));
          await sleep(0);
        }
      }));
    for (const name of ["a", "b", "c"]) loop.callSoon(() => void log.push(name));
    for (const task of tasks) await task.join();
    return log.join("");
  }, seed === undefined ? {} : { seed });
}

Deno.test("without a seed what is ready runs first come, first served", async () => {
  const expected = ["0123456789abc", "0123456789", "0123456789"].join("");
  assertEquals([await order(), await order()], [expected, expected]);
});

Deno.test("the same seed gives the same order at every run", async () => {
  for (const seed of [0, 1, 42, 2 ** 31, -1]) {
    assertEquals(await order(seed), await order(seed));
  }
});

Deno.test("another seed gives another order", async () => {
  const orders = new Set<string>();
  for (let seed = 0; seed < 10; seed++) orders.add(await order(seed));
  assertEquals(orders.size, 10);
  assert(!orders.has(await order()), "A seed gave the order of no seed");
});

Deno.test("a seed shuffles timers that are due at the same time", async () => {
  const timers = (seed: number) =>
    runLoop(async (loop) => {
      const log: number[] = [];
      for (let i = 0; i < 10; i++) loop.callLater(10, () => void log.push(i));
      await sleep(20);
      return log.join();
    }, { seed });
  const orders = new Set<string>();
  for (let seed = 0; seed < 5; seed++) orders.add(await timers(seed));
  assert(orders.size > 1);
});

Deno.test("a seed never lets what is due later come first", () =>
  runLoop(async (loop) => {
    const log: number[] = [];
    for (const delay of [3, 1, 2, 5, 4]) loop.callLater(delay, () => void log.push(delay));
    await sleep(10);
    assertEquals(log, [1, 2, 3, 4, 5]);
  }, { seed: 7 }));

Deno.test("waiters are served in the order of asking, whatever the seed", async () => {
  for (let seed = 0; seed < 5; seed++) {
    await runLoop(async () => {
      const lock = new Lock(), queue = new Queue<number>(), asked: number[] = [];
      const served: number[] = [], got: [number, number][] = [];
      await lock.acquire();
      const tasks = Array.from({ length: 10 }, (_, i) =>
        spawn(async () => {
          asked.push(i);
          await lock.with(() => void served.push(i));
        }));
      await sleep(1);
      lock.release();
      for (const task of tasks) await task.join();
      assertEquals(served, asked);
      const order: number[] = [];
      const getters = Array.from({ length: 10 }, (_, i) =>
        spawn(async () => {
          order.push(i);
          got.push([i, await queue.get()]);
        }));
      await sleep(1);
      for (let n = 0; n < 10; n++) queue.putNowait(n);
      for (const getter of getters) await getter.join();
      got.sort((a, b) => a[1] - b[1]);
      assertEquals(got.map(([i]) => i), order);
    }, { seed });
  }
});

Deno.test("a seed keeps the baton: a task that does not block lets nobody in", () =>
  runLoop(async () => {
    const log: string[] = [];
    const deep = async (n: number): Promise<void> => n > 0 ? await deep(n - 1) : undefined;
    const tasks = ["a", "b", "c"].map((name) =>
      spawn(async () => {
        log.push(name);
        await deep(20);
        log.push(name);
      })
    );
    for (const task of tasks) await task.join();
    for (let i = 0; i < 6; i += 2) assertEquals(log[i], log[i + 1]);
  }, { seed: 3 }));

Deno.test("a seed loses no wake-up and no callback", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const count = await runLoop(async (loop) => {
      let count = 0;
      const event = new Event();
      const tasks = Array.from({ length: 5 }, () =>
        spawn(async () => {
          await event.wait();
          await sleep(0);
          count++;
        }));
      loop.callSoon(() => event.set());
      for (let i = 0; i < 5; i++) loop.callSoon(() => void count++);
      for (const task of tasks) await task.join();
      return count;
    }, { seed });
    assertEquals(count, 10);
  }
});
