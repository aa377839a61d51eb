/** Laws of Queue, LifoQueue and PriorityQueue. */
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  Empty,
  Event,
  Full,
  LifoQueue,
  PriorityQueue,
  Queue,
  ShutDown,
  sleep,
  spawn,
  TaskExit,
} from "../../mod.ts";
import { killAtEveryStep } from "../kill_at_every_step.ts";
import { errorOf, runLoop, valueOf, witness } from "../run_loop.ts";

const SIZE = 5;

const QUEUES = [
  { kind: Queue, leaving: [111, 333, 222] },
  { kind: LifoQueue, leaving: [222, 333, 111] },
  { kind: PriorityQueue, leaving: [111, 222, 333] },
] as const;

/** Takes everything out of `queue` without waiting. */
function drain<T>(queue: Queue<T>): T[] {
  const items: T[] = [];
  while (!queue.empty()) items.push(queue.getNowait());
  return items;
}

for (const { kind, leaving } of QUEUES) {
  const test = (sentence: string, body: () => void | Promise<void>) =>
    Deno.test(`${kind.name} ${sentence}`, () => runLoop(body));

  test("gives its items in its order", async () => {
    const queue = new kind<number>(SIZE);
    for (let round = 0; round < 2; round++) {
      for (const item of [111, 333, 222]) await queue.put(item);
      const got = [await queue.get(), await queue.get({ timeout: 0 }), queue.getNowait()];
      assertEquals(got, [...leaving]);
    }
  });

  test("knows how full it is", async () => {
    const queue = new kind<number>(SIZE);
    assertEquals([queue.qsize(), queue.empty(), queue.full()], [0, true, false]);
    for (let i = 0; i < SIZE - 1; i++) await queue.put(i);
    assertEquals([queue.qsize(), queue.empty(), queue.full()], [SIZE - 1, false, false]);
    await queue.put(SIZE);
    assertEquals([queue.qsize(), queue.empty(), queue.full()], [SIZE, false, true]);
    drain(queue);
    assertEquals([queue.qsize(), queue.empty(), queue.full()], [0, true, false]);
    assertEquals(queue.maxsize, SIZE);
  });

  test("without a bound is never full", async () => {
    for (const queue of [new kind<number>(), new kind<number>(0), new kind<number>(-3)]) {
      for (let i = 0; i < 1000; i++) await queue.put(i, { timeout: 0 });
      assertEquals([queue.qsize(), queue.full()], [1000, false]);
    }
    assertEquals(new kind().maxsize <= 0, true);
  });

  test("throws Full from putNowait() and Empty from getNowait()", () => {
    const queue = new kind<number>(2);
    assertThrows(() => queue.getNowait(), Empty);
    queue.putNowait(1);
    queue.putNowait(2);
    assertThrows(() => queue.putNowait(3), Full);
    assertEquals(queue.qsize(), 2);
    queue.getNowait();
    queue.getNowait();
    assertThrows(() => queue.getNowait(), Empty);
  });

  test("can hold undefined, null and false", async () => {
    const queue = kind === PriorityQueue
      ? new PriorityQueue<unknown>(0, { compare: () => 0 })
      : new kind<unknown>();
    for (const item of [undefined, null, false]) {
      queue.putNowait(item);
      assertStrictEquals(queue.getNowait(), item);
      const getter = witness(() => queue.get());
      await sleep(0);
      await queue.put(item);
      await getter.task.join();
      assertStrictEquals(valueOf(getter), item);
    }
  });

  test("lets a put() in when room is made, and a get() when an item comes", async () => {
    const queue = new kind<number>(1);
    queue.putNowait(1);
    const putter = witness(() => queue.put(2));
    await sleep(1);
    assertEquals([putter.outcome, queue.qsize()], [undefined, 1]);
    assertEquals(await queue.get(), 1);
    await putter.task.join();
    assertEquals([valueOf(putter), queue.qsize()], [undefined, 1]);
    assertEquals(await queue.get(), 2);
    const getter = witness(() => queue.get());
    await sleep(1);
    assertEquals(getter.outcome, undefined);
    await queue.put(3);
    await getter.task.join();
    assertEquals([valueOf(getter), queue.empty()], [3, true]);
  });

  test("takes the items of waiting put()s in the order of asking", async () => {
    const queue = new kind<number>(1);
    queue.putNowait(0);
    const done: number[] = [];
    const putters = [1, 2, 3].map((i) =>
      witness(async () => {
        await queue.put(i);
        done.push(i);
      })
    );
    await sleep(0);
    const got: number[] = [];
    for (let i = 0; i < 4; i++) got.push(await queue.get());
    for (const putter of putters) await putter.task.join();
    assertEquals([got, done], [[0, 1, 2, 3], [1, 2, 3]]);
  });

  test("lets nobody barge in before a put() that waits", async () => {
    const queue = new kind<number>(1);
    queue.putNowait(0);
    const putter = witness(() => queue.put(1));
    await sleep(0);
    assertEquals(queue.getNowait(), 0);
    // The room is the waiting put()'s already.
    assertThrows(() => queue.putNowait(2), Full);
    await assertRejects(() => queue.put(2, { timeout: 0 }), Full);
    await putter.task.join();
    assertEquals(drain(queue), [1]);
  });

  test("lets nobody barge in before a get() that waits", async () => {
    const queue = new kind<number>();
    const getter = witness(() => queue.get());
    await sleep(0);
    queue.putNowait(1);
    // The item is the waiting get()'s already.
    assertThrows(() => queue.getNowait(), Empty);
    await assertRejects(() => queue.get({ timeout: 0 }), Empty);
    await getter.task.join();
    assertEquals(valueOf(getter), 1);
  });

  test("refuses a wrong timeout, whether or not it would have to wait", async () => {
    const queue = new kind<number>(1);
    for (let round = 0; round < 2; round++) {
      await assertRejects(() => queue.put(1, { timeout: -1 }), RangeError);
      await assertRejects(() => queue.get({ timeout: -1 }), RangeError);
      await assertRejects(() => queue.join({ timeout: -1 }), RangeError);
      assertEquals(queue.qsize(), round);
      if (round === 0) queue.putNowait(1);
    }
  });

  test("throws RangeError when taskDone() is called too often", () => {
    const queue = new kind<number>();
    assertThrows(() => queue.taskDone(), RangeError);
    queue.putNowait(1);
    queue.taskDone();
    assertThrows(() => queue.taskDone(), RangeError);
  });

  test("is joined when every item was said to be done", async () => {
    const queue = new kind<number>();
    assertEquals(await queue.join({ timeout: 0 }), true);
    let sum = 0;
    const workers = [1, 2].map(() =>
      spawn(async () => {
        while (true) {
          const item = await queue.get();
          await sleep(item % 3);
          if (item >= 0) sum += item;
          queue.taskDone();
          if (item < 0) return;
        }
      })
    );
    for (let i = 0; i < 100; i++) await queue.put(i);
    assertEquals(await queue.join(), true);
    assertEquals([sum, queue.qsize()], [4950, 0]);
    for (const _ of workers) await queue.put(-1);
    assertEquals(await queue.join(), true);
    for (const worker of workers) await worker.join();
    assertThrows(() => queue.taskDone(), RangeError);
  });

  test("is not joined by taking items out without saying that they are done", async () => {
    const queue = new kind<number>();
    queue.putNowait(1);
    queue.getNowait();
    assertEquals(await queue.join({ timeout: 1 }), false);
    queue.taskDone();
    assertEquals(await queue.join(), true);
  });

  test("counts no item of a put() that gave up as unfinished", async () => {
    const queue = new kind<number>(1);
    queue.putNowait(1);
    await assertRejects(() => queue.put(2, { timeout: 1 }), Full);
    queue.getNowait();
    queue.taskDone();
    assertEquals(await queue.join({ timeout: 0 }), true);
  });

  test("shut down gives what is left, and then ShutDown", async () => {
    const queue = new kind<number>(2);
    await queue.put(1);
    queue.putNowait(2);
    queue.shutdown();
    await assertRejects(() => queue.put(3), ShutDown);
    await assertRejects(() => queue.put(3, { timeout: 0 }), ShutDown);
    assertThrows(() => queue.putNowait(3), ShutDown);
    const got = [await queue.get(), queue.getNowait()];
    assertEquals(got.sort(), [1, 2]);
    queue.taskDone();
    queue.taskDone();
    assertEquals(await queue.join(), true);
    await assertRejects(() => queue.get(), ShutDown);
    await assertRejects(() => queue.get({ timeout: 10 }), ShutDown);
    assertThrows(() => queue.getNowait(), ShutDown);
  });

  test("shut down at once gives nothing more, and what was in it counts as done", async () => {
    const queue = new kind<number>(2);
    await queue.put(1);
    queue.putNowait(2);
    queue.shutdown({ immediate: true });
    assertEquals([queue.qsize(), queue.empty()], [0, true]);
    await assertRejects(() => queue.put(3), ShutDown);
    assertThrows(() => queue.putNowait(3), ShutDown);
    await assertRejects(() => queue.get(), ShutDown);
    assertThrows(() => queue.getNowait(), ShutDown);
    assertThrows(() => queue.taskDone(), RangeError);
    assertEquals(await queue.join(), true);
  });

  test("can be shut down again, and then at once", async () => {
    const queue = new kind<number>();
    queue.putNowait(1);
    queue.shutdown();
    queue.shutdown();
    assertEquals(queue.qsize(), 1);
    queue.shutdown({ immediate: true });
    assertEquals(queue.qsize(), 0);
    queue.shutdown({ immediate: false });
    await assertRejects(() => queue.get(), ShutDown);
  });

  test("shut down throws ShutDown from every get() and put() that waits", async () => {
    for (const immediate of [false, true]) {
      const empty = new kind<number>(1), full = new kind<number>(1);
      full.putNowait(1);
      const waiting = [
        witness<unknown>(() => empty.get()),
        witness<unknown>(() => empty.get({ timeout: 1e6 })),
        witness<unknown>(() => full.put(2)),
        witness<unknown>(() => full.put(3)),
      ];
      await sleep(0);
      empty.shutdown({ immediate });
      full.shutdown({ immediate });
      for (const one of waiting) {
        await one.task.join();
        assertInstanceOf(errorOf(one), ShutDown);
      }
      assertEquals(full.qsize(), immediate ? 0 : 1);
    }
  });

  test("shut down at once wakes who joins it, shut down waits for the rest", async () => {
    const queue = new kind<number>();
    queue.putNowait(1);
    queue.putNowait(2);
    const joiners = [witness(() => queue.join()), witness(() => queue.join({ timeout: 1e6 }))];
    await sleep(0);
    queue.shutdown();
    await sleep(1);
    assertEquals(joiners.map((joiner) => joiner.outcome), [undefined, undefined]);
    queue.getNowait();
    queue.shutdown({ immediate: true });
    // One item is out and not done.
    await sleep(1);
    assertEquals(joiners.map((joiner) => joiner.outcome), [undefined, undefined]);
    queue.taskDone();
    for (const joiner of joiners) {
      await joiner.task.join();
      assertEquals(valueOf(joiner), true);
    }
  });

  test("ends its iteration when it is shut down, after what is left", async () => {
    const queue = new kind<number>();
    const seen: number[] = [];
    const reader = witness(async () => {
      for await (const item of queue) seen.push(item);
    });
    for (const item of [1, 2, 3]) {
      queue.putNowait(item);
      await sleep(1);
    }
    queue.putNowait(4);
    queue.shutdown();
    await reader.task.join();
    valueOf(reader);
    assertEquals(seen, [1, 2, 3, 4]);
  });

  test("loses no item when its iteration is left", async () => {
    const queue = new kind<number>();
    for (const item of [1, 1, 1]) queue.putNowait(item);
    for await (const _ of queue) break;
    assertEquals(queue.qsize(), 2);
    for await (const _ of queue) break;
    assertEquals(queue.qsize(), 1);
  });

  test("gives an item to its waiting reader even if that is killed in the same turn", async () => {
    const queue = new kind<number>();
    const got: number[] = [];
    const victim = witness(async () => {
      got.push(await queue.get());
      got.push(await queue.get());
    });
    await sleep(0);
    queue.putNowait(1);
    victim.task.kill();
    queue.putNowait(2);
    await victim.task.join();
    assertInstanceOf(errorOf(victim), TaskExit);
    assertEquals([...got, ...drain(queue)], [1, 2]);
  });

  test("takes the item of a put() whose task is killed in the same turn, once", async () => {
    const queue = new kind<number>(1);
    queue.putNowait(1);
    const victim = witness(() => queue.put(2));
    await sleep(0);
    assertEquals(queue.getNowait(), 1);
    victim.task.kill();
    await victim.task.join();
    valueOf(victim);
    assertEquals(drain(queue), [2]);
  });

  test("drops the item of a put() that was killed, and lets the next one in", async () => {
    const queue = new kind<number>(1);
    queue.putNowait(1);
    const victim = witness(() => queue.put(2));
    const next = witness(() => queue.put(3));
    await sleep(0);
    victim.task.kill();
    assertEquals(queue.getNowait(), 1);
    await next.task.join();
    await victim.task.join();
    assertInstanceOf(errorOf(victim), TaskExit);
    assertEquals(drain(queue), [3]);
  });

  test("carries everything from many writers to many readers", async () => {
    const queue = new kind<number>(3);
    const got: number[] = [];
    const writers = Array.from({ length: 5 }, (_, w) =>
      spawn(async () => {
        for (let i = 0; i < 20; i++) {
          await queue.put(w * 20 + i);
          if (i % 3 === 0) await sleep(w % 2);
        }
      }));
    const readers = Array.from({ length: 4 }, () =>
      spawn(async () => {
        for await (const item of queue) {
          assert(queue.qsize() <= 3);
          got.push(item);
          queue.taskDone();
        }
      }));
    for (const writer of writers) await writer.join();
    queue.shutdown();
    for (const reader of readers) await reader.join();
    assertEquals(got.toSorted((a, b) => a - b), Array.from({ length: 100 }, (_, i) => i));
    assertEquals(await queue.join({ timeout: 0 }), true);
  });

  killAtEveryStep(`${kind.name} loses no item and makes none up, read by several`, {
    make: () => ({ queue: new kind<number>(2), sent: [] as number[], got: [] as number[] }),
    async victim(state, wait) {
      try {
        for (let i = 0; i < 3; i++) state.got.push(await state.queue.get(wait));
      } catch (error) {
        if (!(error instanceof ShutDown)) throw error;
      }
    },
    others: [
      async (state) => {
        for await (const item of state.queue) state.got.push(item);
      },
      async (state, step) => {
        for (let i = 0; i < 9; i++) {
          await state.queue.put(i);
          state.sent.push(i);
          if (i % 2) await step();
        }
        state.queue.shutdown();
      },
      async (state) => {
        for await (const item of state.queue) state.got.push(item);
      },
    ],
    check(state) {
      assertEquals(state.got.sort(), state.sent);
      assertEquals(state.queue.qsize(), 0);
    },
  });

  killAtEveryStep(`${kind.name} takes an item exactly if its put() succeeds`, {
    make: () => ({ queue: new kind<number>(1), sent: [] as number[], got: [] as number[] }),
    async victim(state, wait) {
      for (let i = 0; i < 3; i++) {
        await state.queue.put(100 + i, wait);
        state.sent.push(100 + i);
      }
    },
    others: [
      async (state) => {
        for (let i = 0; i < 3; i++) {
          await state.queue.put(i);
          state.sent.push(i);
        }
      },
      async (state, step) => {
        // Reads until nobody comes any more.
        for (let idle = 0; idle < 8; idle++) {
          await step();
          for (const item of drain(state.queue)) {
            state.got.push(item);
            idle = 0;
          }
        }
      },
      async (state) => {
        for (let i = 10; i < 13; i++) {
          await state.queue.put(i);
          state.sent.push(i);
        }
      },
    ],
    check: (state) => assertEquals(state.got.toSorted(), state.sent.toSorted()),
  });

  killAtEveryStep(`${kind.name} is joined when all is done`, {
    make: () => ({ queue: new kind<number>(), joined: 0, ready: new Event() }),
    async victim(state, wait) {
      return await state.queue.join(wait);
    },
    others: [
      async (state) => {
        for (let i = 0; i < 4; i++) state.queue.putNowait(i);
        state.ready.set();
        if (await state.queue.join()) state.joined++;
      },
      async (state, step) => {
        await state.ready.wait();
        for (let i = 0; i < 4; i++) {
          await step();
          await state.queue.get();
          state.queue.taskDone();
        }
      },
      async (state) => {
        await state.ready.wait();
        if (await state.queue.join()) state.joined++;
      },
    ],
    check: (state) => assertEquals(state.joined, 2),
  });
}
