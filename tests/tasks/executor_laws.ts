/**
 * What holds for every executor, whoever does the work: a suite for each kind to run.
 *
 * The functions that are submitted must be self-contained, because some executors send them by their
 * source to another thread; and the clock is the real one, because work there takes real time.
 */
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  asCompleted,
  CancelledError,
  type ExceptionContext,
  type Executor,
  FIRST_COMPLETED,
  RuntimeError,
  sleep,
  spawn,
  TaskExit,
  TimeoutError,
  wait,
} from "../../mod.ts";
import { errorOf, outcomeOf, runLoop, valueOf, withLoop, witness } from "../run_loop.ts";

/** One kind of executor. */
export interface ExecutorKind {
  readonly name: string;
  make(maxWorkers: number): Executor;
}

const add = (a: number, b: number) => a + b;
const square = (x: number) => x * x;
const fail = (message: string) => {
  throw new RangeError(message);
};
const pause = (ms: number) => new Promise<number>((resolve) => setTimeout(() => resolve(ms), ms));
/** Takes its time, then gives or throws. */
const work = async (ms: number, message?: string) => {
  await new Promise((resolve) => setTimeout(resolve, ms));
  if (message) throw new RangeError(message);
  return ms;
};

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

/** Registers the laws for one kind of executor. */
export function executorLaws({ name, make }: ExecutorKind): void {
  const law = (
    sentence: string,
    body: (executor: Executor) => Promise<unknown>,
    { workers = 2, reports }: { workers?: number; reports?: ExceptionContext[] } = {},
  ) =>
    Deno.test(`${name} ${sentence}`, () =>
      runLoop(async () => {
        const executor = make(workers);
        try {
          await body(executor);
        } finally {
          await executor.shutdown({ cancelFutures: true });
        }
      }, { clock: undefined, reports }));

  law("gives the value of a call through its future", async (executor) => {
    const future = executor.submit(add, 2, 40);
    assertEquals(await future.get(), 42);
    assertEquals([future.done, future.cancelled, await future.get()], [true, false, 42]);
    assertEquals(await executor.submit(() => "no arguments").get(), "no arguments");
  });

  law("waits for what an async function returns", async (executor) => {
    assertEquals(await executor.submit(pause, 3).get(), 3);
    assertEquals(await executor.submit(async () => await Promise.resolve("value")).get(), "value");
  });

  law("gives the call's own error through its future, and reports nothing", async (executor) => {
    for (const future of [executor.submit(fail, "x"), executor.submit(work, 1, "x")]) {
      const error = await assertRejects(() => future.get(), RangeError, "x");
      assertEquals(error.name, "RangeError");
    }
    executor.submit(fail, "that nobody asks for");
    assertEquals(await executor.submit(add, 1, 1).get(), 2);
  });

  law("goes on after errors, with all of its workers", async (executor) => {
    const failing = Array.from({ length: 6 }, () => executor.submit(fail, "x"));
    for (const future of failing) await assertRejects(() => future.get(), RangeError);
    const futures = [1, 2, 3, 4].map((n) => executor.submit(square, n));
    assertEquals(await Promise.all(futures.map((future) => future.get())), [1, 4, 9, 16]);
  });

  law("begins calls in the order of submission", async (executor) => {
    const ends: number[] = [];
    const futures = [1, 2, 3, 4, 5].map((n) => {
      const future = executor.submit(work, 1);
      future.addDoneCallback(() => void ends.push(n));
      return future;
    });
    await wait(futures);
    assertEquals(ends, [1, 2, 3, 4, 5]);
  }, { workers: 1 });

  law("does other tasks' work meanwhile", async (executor) => {
    const future = executor.submit(pause, 20);
    let turns = 0;
    while (!future.done) {
      await sleep(1);
      turns++;
    }
    assert(turns > 1);
  });

  law("cancels a call that has not begun, and not one that has", async (executor) => {
    const running = executor.submit(pause, 30);
    const waiting = executor.submit(pause, 1), next = executor.submit(add, 1, 2);
    const other = executor.submit(pause, 1);
    // Begun means: taken by a worker.
    while (running.cancel() === false && !other.cancel()) await sleep(1);
    if (running.cancelled) return;
    assertEquals([waiting.cancel(), waiting.cancelled, running.cancel()], [true, true, false]);
    await assertRejects(() => waiting.get(), CancelledError);
    assertEquals([await running.get(), await next.get()], [30, 3]);
    assertEquals(running.cancel(), false);
  }, { workers: 1 });

  law("calls back when a call is done", async (executor) => {
    const seen: unknown[] = [];
    const good = executor.submit(add, 1, 2), bad = executor.submit(fail, "x");
    for (const future of [good, bad]) future.addDoneCallback((one) => void seen.push(one));
    await wait<unknown>([good, bad]);
    await sleep(1);
    assertEquals(new Set(seen), new Set<unknown>([good, bad]));
  });

  law("goes on with a call whose waiter is killed or gives up", async (executor) => {
    const future = executor.submit(pause, 20);
    const victim = witness(() => future.get());
    await sleep(1);
    victim.task.kill();
    await victim.task.join();
    assertInstanceOf(errorOf(victim), TaskExit);
    await assertRejects(() => future.get({ timeout: 0 }), TimeoutError);
    assertEquals(await future.get(), 20);
  });

  law("works with wait() and asCompleted()", async (executor) => {
    const quick = executor.submit(work, 1), slow = executor.submit(work, 60);
    const { done, notDone } = await wait([slow, quick], { returnWhen: FIRST_COMPLETED });
    assertEquals([done.has(quick), notDone.has(slow)], [true, true]);
    const order: unknown[] = [];
    for await (const future of asCompleted([slow, quick])) order.push(future === quick);
    assertEquals(order, [true, false]);
  });

  law("serves many tasks at once", async (executor) => {
    const tasks = Array.from(
      { length: 20 },
      (_, n) => witness(async () => await executor.submit(square, n).get()),
    );
    for (const one of tasks) await one.task.join();
    assertEquals(tasks.map(valueOf), Array.from({ length: 20 }, (_, n) => n * n));
  });

  law("maps in the order of the items", async (executor) => {
    const delays = [15, 1, 8, 3];
    assertEquals(await collect(executor.map(work, delays)), delays);
    assertEquals(await collect(executor.map(square, new Set([2, 4, 6]))), [4, 16, 36]);
    assertEquals(await collect(executor.map(square, [])), []);
  });

  law("maps an async iterable", async (executor) => {
    async function* items() {
      for (let n = 0; n < 10; n++) {
        await sleep(n % 2);
        yield n;
      }
    }
    const squares = Array.from({ length: 10 }, (_, n) => n * n);
    assertEquals(await collect(executor.map(square, items())), squares);
  });

  law("maps with several arguments by starmap()", async (executor) => {
    const args: [number, number][] = [[1, 2], [3, 4], [5, 6]];
    assertEquals(await collect(executor.starmap(add, args)), [3, 7, 11]);
    async function* later() {
      for (const one of args) yield await Promise.resolve(one);
    }
    assertEquals(await collect(executor.starmap(add, later())), [3, 7, 11]);
  });

  law("throws a call's error where map() comes to it", async (executor) => {
    const seen: number[] = [];
    const messages: [number, string?][] = [[1], [5], [1, "third"], [1]];
    await assertRejects(
      async () => {
        for await (const value of executor.starmap(work, messages as [number, string][])) {
          seen.push(value);
        }
      },
      RangeError,
      "third",
    );
    assertEquals(seen, [1, 5]);
  });

  law("throws TimeoutError from map() when its time has passed", async (executor) => {
    const seen: number[] = [];
    // To start a worker may take longer than that on a busy machine.
    await executor.submit(work, 1).get();
    await assertRejects(async () => {
      for await (const value of executor.map(work, [1, 2, 900], { timeout: 450 })) seen.push(value);
    }, TimeoutError);
    assertEquals(seen, [1, 2]);
  });

  law("refuses a wrong timeout of map()", async (executor) => {
    const wrong: [unknown, typeof RangeError | typeof TypeError][] = [
      [-1, RangeError],
      [NaN, RangeError],
      ["5", TypeError],
    ];
    for (const [timeout, errorClass] of wrong) {
      await assertRejects(async () => {
        await collect(executor.map(square, [1], { timeout: timeout as number }));
      }, errorClass);
    }
  });

  law("cancels the rest when map() is left early", async (executor) => {
    for await (const value of executor.map(work, [1, 5, 5, 5, 5, 5, 5, 5])) {
      assertEquals(value, 1);
      break;
    }
    // The one worker is free again as soon as what it had begun is done.
    const start = executor.submit(square, 2);
    assertEquals(await start.get(), 4);
  }, { workers: 1 });

  law("passes on what the items of map() throw, async or not", async (executor) => {
    function* items() {
      yield 1;
      throw new RangeError("from the items");
    }
    async function* later() {
      yield await Promise.resolve(1);
      throw new RangeError("from the items");
    }
    for (const source of [items, later]) {
      await assertRejects(
        async () => {
          await collect(executor.map(square, source()));
        },
        RangeError,
        "from the items",
      );
    }
  });

  law("refuses calls after shutdown()", async (executor) => {
    await executor.shutdown();
    assertThrows(() => executor.submit(add, 1, 2), RuntimeError);
    await assertRejects(async () => await collect(executor.map(square, [1])), RuntimeError);
    await executor.shutdown();
    await executor.shutdown({ wait: false });
    await executor.shutdown({ cancelFutures: true });
  });

  law("waits in shutdown() for everything that was submitted", async (executor) => {
    const futures = [1, 2, 3, 4, 5].map((n) => executor.submit(work, n));
    await executor.shutdown();
    assertEquals(
      futures.map((future) => [future.done, future.cancelled]),
      futures.map(() => [true, false]),
    );
    assertEquals(await futures[4].get(), 5);
  });

  law(
    "does not wait in shutdown({ wait: false }), and finishes what was submitted",
    async (executor) => {
      const futures = [30, 1, 1].map((n) => executor.submit(work, n));
      await executor.shutdown({ wait: false });
      assertEquals(futures[2].done, false);
      assertThrows(() => executor.submit(add, 1, 2), RuntimeError);
      assertEquals(await Promise.all(futures.map((future) => future.get())), [30, 1, 1]);
    },
    { workers: 1 },
  );

  law("cancels what has not begun in shutdown({ cancelFutures: true })", async (executor) => {
    // However late a worker starts, the others are far from done when the first call is.
    const futures = Array.from({ length: 10 }, (_, n) => executor.submit(work, n === 0 ? 10 : 300));
    await futures[0].get();
    await executor.shutdown({ cancelFutures: true });
    const cancelled = futures.filter((future) => future.cancelled).length;
    assertEquals(futures.every((future) => future.done), true);
    assert(cancelled >= 5 && cancelled <= 9, `${cancelled} of 10 were cancelled`);
    assertEquals(futures[0].cancelled, false);
    for (const future of futures.filter((one) => !one.cancelled)) {
      assertEquals(await future.get(), future === futures[0] ? 10 : 300);
    }
  }, { workers: 2 });

  law("lets shutdown() be killed, and called again", async (executor) => {
    const future = executor.submit(work, 30);
    const victim = spawn(() => executor.shutdown());
    await sleep(1);
    victim.kill();
    await victim.join();
    assertEquals(future.done, false);
    await executor.shutdown();
    assertEquals(await future.get(), 30);
  });

  Deno.test(`${name} is shut down at the end of a block with await using`, () =>
    runLoop(async () => {
      let future;
      {
        await using executor = make(2);
        future = executor.submit(work, 10);
      }
      assertEquals([future.done, await future.get()], [true, 10]);
    }, { clock: undefined }));

  Deno.test(`${name} refuses a number of workers that makes no sense`, () => {
    for (const wrong of [0, -1, NaN]) assertThrows(() => make(wrong), RangeError);
  });

  law("refuses to submit what is no function", async (executor) => {
    for (const wrong of ["text", undefined, {}]) {
      const outcome = await outcomeOf(() => executor.submit(wrong as unknown as () => void).get());
      assertInstanceOf("error" in outcome && outcome.error, TypeError);
    }
  });

  Deno.test(`${name} keeps run() going until its calls are done`, () =>
    withLoop(async (loop) => {
      let executor: Executor | undefined;
      const ended: number[] = [];
      spawn(() => {
        executor = make(2);
        for (const ms of [5, 20]) {
          executor.submit(work, ms).addDoneCallback(() => void ended.push(ms));
        }
        // And then nobody waits for anything; a pool is no deadlock either.
        spawn(() => executor!.shutdown());
      });
      await loop.run();
      // In which order is up to how long each worker takes to start.
      assertEquals(ended.toSorted((a, b) => a - b), [5, 20]);
    }, { clock: undefined }));

  law("tells the same error to all who ask", async (executor) => {
    const future = executor.submit(fail, "x");
    const first = await outcomeOf(() => future.get());
    const second = await outcomeOf(() => future.get());
    assert("error" in first && "error" in second);
    assertStrictEquals(first.error, second.error);
  });
}
