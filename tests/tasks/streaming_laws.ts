/**
 * What holds for every executor that can stream, be told progress, call functions of modules and have running
 * calls terminated: all of this library's. A suite for each kind to run.
 */
import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import {
  asCompleted,
  type CallStream,
  CancelledError,
  type Executor,
  type ModuleFunction,
  moduleFunction,
  Progress,
  type Reporter,
  RuntimeError,
  select,
  sleep,
  TaskExit,
  TimeoutError,
  wait,
} from "../../mod.ts";
import { errorOf, runLoop, witness } from "../run_loop.ts";

interface StreamingExecutor extends Executor {
  stream<A extends unknown[], T>(
    fn: ((...args: A) => Iterable<T> | AsyncIterable<T>) | ModuleFunction<A, Iterable<T>>,
    ...args: A
  ): CallStream<T>;
}

/** One kind of executor. */
export interface StreamingKind {
  readonly name: string;
  make(maxWorkers: number): StreamingExecutor;
  /** Sends "running" and never returns, in a way that can be ended there. */
  readonly hang?: (progress: Reporter<string> | null) => Promise<never>;
  /** Yields 1 and then hangs. */
  readonly yieldAndHang?: () => AsyncIterable<number>;
}

type Called = typeof import("./called_module.ts");
const module = new URL("./called_module.ts", import.meta.url);
const double = moduleFunction<Called, "double">(module, "double");

function hangAnywhere(progress: Reporter<string> | null): Promise<never> {
  progress?.send("running");
  return new Promise((_, reject) => setTimeout(reject, 2 ** 30));
}

async function* yieldAndHangAnywhere(): AsyncIterable<number> {
  yield 1;
  await new Promise((_, reject) => setTimeout(reject, 2 ** 30));
}

const count = function* (n: number) {
  for (let i = 1; i <= n; i++) yield i;
};

/** Registers the laws for one kind of executor. */
export function streamingLaws(
  { name, make, hang = hangAnywhere, yieldAndHang = yieldAndHangAnywhere }: StreamingKind,
): void {
  const law = (
    sentence: string,
    body: (executor: StreamingExecutor) => Promise<unknown>,
    workers = 2,
  ) =>
    Deno.test(`${name} ${sentence}`, () =>
      runLoop(async () => {
        const executor = make(workers);
        try {
          await body(executor);
        } finally {
          await executor.shutdown({ cancelFutures: true });
        }
      }, { clock: undefined }));

  law("calls a function of a module", async (executor) => {
    assertEquals(await executor.submit(double, 21).get(), 42);
    assertEquals(await Array.fromAsync(executor.map(double, [1, 2, 3])), [2, 4, 6]);
    const upper = moduleFunction<Called, "default">(module.href, "default");
    assertEquals(await executor.submit(upper, "loud").get(), "LOUD");
  });

  law(
    "says so if the module has no such function, or there is no such module",
    async (executor) => {
      const missing = moduleFunction<Called, "notAFunction">(module, "notAFunction");
      await assertRejects(
        () => executor.submit(missing as ModuleFunction<[], unknown>).get(),
        TypeError,
        "notAFunction",
      );
      const nowhere = moduleFunction<Record<string, () => void>, "x">(
        new URL("./no.ts", module),
        "x",
      );
      await assertRejects(() => executor.submit(nowhere).get(), TypeError, "no.ts");
    },
  );

  law("terminates a running call at once, and harms no other", async (executor) => {
    const doomed = executor.submit(hang, null), other = executor.submit(() => 1);
    while (!doomed.running) await sleep(1);
    assertEquals([doomed.cancel(), doomed.terminate()], [false, true]);
    assertEquals([doomed.done, doomed.cancelled, doomed.running], [true, true, false]);
    await assertRejects(() => doomed.get(), CancelledError);
    assertEquals([await other.get(), await executor.submit(double, 2).get()], [1, 4]);
    assertEquals([doomed.terminate(), other.terminate()], [true, false]);
  });

  law("goes on with the calls that wait for the worker of a terminated one", async (executor) => {
    const doomed = executor.submit(hang, null);
    const others = [1, 2, 3].map((n) => executor.submit(double, n));
    while (!doomed.running) await sleep(1);
    doomed.terminate();
    assertEquals(await Promise.all(others.map((other) => other.get())), [2, 4, 6]);
  }, 1);

  law("terminates a call that has not begun by cancelling it", async (executor) => {
    const first = executor.submit(() => 1), second = executor.submit(() => 2);
    assertEquals([second.terminate(), second.cancelled], [true, true]);
    assertEquals(await first.get(), 1);
  }, 1);

  law("tells wait() and asCompleted() of terminated calls", async (executor) => {
    const futures = [executor.submit(hang, null), executor.submit(hang, null)];
    const all = witness(async () => await wait(futures));
    const each = witness(async () => await Array.fromAsync(asCompleted(futures)));
    while (!futures.every((future) => future.running)) await sleep(1);
    for (const future of futures) future.terminate();
    assertEquals([await all.task.join(), await each.task.join()], [true, true]);
  });

  law("streams what a generator yields, in order", async (executor) => {
    assertEquals(await Array.fromAsync(executor.stream(count, 100)), count(100).toArray());
    const slowly = async function* (n: number) {
      for (let i = 0; i < n; i++) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        yield { i };
      }
    };
    assertEquals(await Array.fromAsync(executor.stream(slowly, 3)), [{ i: 0 }, { i: 1 }, { i: 2 }]);
    const named = moduleFunction<Called, "countTo">(module, "countTo");
    assertEquals(await Array.fromAsync(executor.stream(named, 3)), [1, 2, 3]);
    assertEquals(await Array.fromAsync(executor.stream(() => [undefined, 1])), [undefined, 1]);
    assertEquals(await Array.fromAsync(executor.stream(() => [])), []);
  });

  law("throws what a streamed call throws after what it has yielded", async (executor) => {
    const stream = executor.stream(function* () {
      yield 1;
      throw new RangeError("no more");
    });
    assertEquals(await stream.next(), { done: false, value: 1 });
    await assertRejects(() => stream.next(), RangeError, "no more");
    assertEquals(await stream.next(), { done: true, value: undefined });
    const notIterable = executor.stream((() => 5) as unknown as () => number[]);
    await assertRejects(() => notIterable.next(), TypeError);
  });

  law("runs the finally blocks of a streamed call that is left early", async (executor) => {
    const progress = new Progress<string>();
    const stream = executor.stream(function* (progress: Reporter<string>) {
      try {
        for (let i = 0;; i++) yield i;
      } finally {
        progress.send("cleaned up");
      }
    }, progress);
    for await (const item of stream) if (item === 20) break;
    assertEquals(await Array.fromAsync(progress), ["cleaned up"]);
    assertEquals(await stream.next(), { done: true, value: undefined });
    assertEquals(await executor.submit(double, 4).get(), 8); // The worker is free again.
  }, 1);

  law("lets a streamed call be only a few items ahead", async (executor) => {
    const progress = new Progress<number>();
    const stream = executor.stream(function* (progress: Reporter<number>) {
      for (let i = 1;; i++) {
        progress.send(i);
        yield i;
      }
    }, progress);
    for (const taken of [1, 2, 3, 50]) {
      while ((await stream.next()).value !== taken);
      await sleep(30); // Time in which it could run ahead.
      const made = progress.latest!;
      assert(made >= taken && made <= taken + 12, `made ${made} when ${taken} were taken`);
    }
    await stream.return();
  });

  law("keeps an item for the next who asks if its waiter gives up", async (executor) => {
    const stream = executor.stream(async function* () {
      await new Promise((resolve) => setTimeout(resolve, 50));
      yield "item";
    });
    const killed = witness(() => stream.next());
    await sleep(1);
    killed.task.kill();
    await killed.task.join();
    assertInstanceOf(errorOf(killed), TaskExit);
    await assertRejects(() => stream.next({ timeout: 1 }), TimeoutError);
    await assertRejects(() => stream.next({ timeout: 0 }), TimeoutError);
    assertEquals((await stream.next()).value, "item");
    assertEquals((await stream.next()).done, true);
  });

  law("terminates a streamed call", async (executor) => {
    const stream = executor.stream(yieldAndHang);
    assertEquals((await stream.next()).value, 1);
    const waiter = witness(() => stream.next());
    await sleep(1);
    stream.terminate();
    await waiter.task.join();
    assertEquals(waiter.outcome, { value: { done: true, value: undefined } });
    assertEquals(await executor.submit(double, 4).get(), 8);
  }, 1);

  law("does not begin a stream that was left before its turn", async (executor) => {
    const first = executor.submit(() => new Promise((resolve) => setTimeout(resolve, 20)));
    const progress = new Progress<string>();
    const stream = executor.stream(function* (progress: Reporter<string>) {
      progress.send("begun");
      yield 1;
    }, progress);
    await stream.return();
    await first.get();
    assertEquals(await executor.submit(double, 4).get(), 8);
    assertEquals([await Array.fromAsync(stream), await Array.fromAsync(progress)], [[], []]);
  }, 1);

  law("ends streams that have not begun in shutdown({ cancelFutures: true })", async (executor) => {
    const first = executor.submit(() => new Promise((resolve) => setTimeout(resolve, 20)));
    const stream = executor.stream(count, 3);
    await executor.shutdown({ cancelFutures: true });
    assertEquals([first.done, await Array.fromAsync(stream)], [true, []]);
    assertThrows(() => executor.stream(count, 3), RuntimeError);
  }, 1);

  law("tells the progress of a call while it runs, in order, until it ends", async (executor) => {
    const progress = new Progress<number>();
    const slowly = moduleFunction<Called, "countSlowlyTo">(module, "countSlowlyTo");
    const future = executor.submit(slowly, 5, progress);
    assertEquals(await Array.fromAsync(progress), [1, 2, 3, 4, 5]);
    assertEquals([await future.get(), progress.closed, progress.latest], [5, true, 5]);
    assertEquals(await progress.receive(), { done: true, value: undefined });
  });

  law("closes the progress of a call that fails or is terminated", async (executor) => {
    const failing = new Progress<string>(), running = new Progress<string>();
    executor.submit((progress: Reporter<string>) => {
      progress.send("before");
      throw new RangeError("x");
    }, failing);
    assertEquals(await Array.fromAsync(failing), ["before"]);
    const doomed = executor.submit(hang, running);
    const { value } = await select({ running: running.receiving() });
    assertEquals(value, { done: false, value: "running" });
    doomed.terminate();
    assertEquals(await Array.fromAsync(running), []);
  });
}
