/** What holds for executors whose calls are made elsewhere, by threads or by processes. */
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  BrokenExecutor,
  Empty,
  type Executor,
  FIRST_EXCEPTION,
  moduleFunction,
  RuntimeError,
  sleep,
  Timeout,
  VirtualClock,
  wait,
  type WorkerPoolOptions,
} from "../../mod.ts";
import { runLoop, witness } from "../run_loop.ts";
import { PaperJam } from "./called_module.ts";

/** One kind of pool. */
export interface WorkerPoolKind {
  readonly name: string;
  make(maxWorkers: number, options?: WorkerPoolOptions): Executor;
}

type Called = typeof import("./called_module.ts");
const module = new URL("./called_module.ts", import.meta.url);
const prepared = moduleFunction<Called, "prepared">(module, "prepared");
const jam = moduleFunction<Called, "jam">(module, "jam");

const forever = () => new Promise<never>((_, reject) => setTimeout(reject, 2 ** 30));
/** Tells workers apart; a worker that was replaced has forgotten it. */
const mark = () => {
  const scope = globalThis as { mark?: string };
  return scope.mark ??= crypto.randomUUID();
};

/** Registers the laws for one kind of pool. */
export function workerPoolLaws({ name, make }: WorkerPoolKind): void {
  const law = (
    sentence: string,
    body: (executor: Executor) => Promise<unknown>,
    { workers = 2, ...options }: WorkerPoolOptions & { workers?: number } = {},
  ) =>
    Deno.test(`${name} ${sentence}`, () =>
      runLoop(async () => {
        const executor = make(workers, options);
        try {
          await body(executor);
        } finally {
          await executor.shutdown({ cancelFutures: true });
        }
      }, { clock: undefined }));

  law("sends what structured clone can send, there and back", async (executor) => {
    const value = {
      text: "a",
      big: 10n,
      date: new Date(5),
      map: new Map([["a", new Set([1])]]),
      bytes: new Uint8Array([1, 2, 3]),
      nothing: [null, undefined, NaN, -0],
    };
    assertEquals(await executor.submit((value: unknown) => value, value).get(), value);
  });

  law("sends arguments as they are at submit(), also to a call that waits", async (executor) => {
    const blocker = executor.submit(() => new Promise((resolve) => setTimeout(resolve, 20)));
    const list = [1];
    const future = executor.submit((list: number[]) => list, list);
    list.push(2);
    assertEquals(await future.get(), [1]);
    await blocker.get();
  }, { workers: 1 });

  law("refuses functions that have no source to send, and says what to do", async (executor) => {
    const bound = function () {}.bind(null);
    const { method } = { method() {} };
    const { asyncMethod } = { async asyncMethod() {} };
    class Class {
      static method() {}
    }
    const refused = [Math.max, bound, method, asyncMethod, Class, Class.method, parseInt];
    for (const fn of refused) {
      const error = assertThrows(() => executor.submit(fn as () => void), TypeError);
      assert(error.message.includes("moduleFunction("), error.message);
    }
    const sent: (() => unknown)[] = [
      function () {
        return 1;
      },
      () => 1,
      async () => await 1,
      async function () {
        return await 1;
      },
      function named() {
        return 1;
      },
    ];
    for (const fn of sent) assertEquals(await executor.submit(fn).get(), 1);
  });

  law("refuses arguments that cannot be sent, and stays usable", async (executor) => {
    const refused = [() => 1, Symbol("s"), Promise.resolve(), new WeakMap(), { deep: [() => 1] }];
    for (const arg of refused) {
      const error = assertThrows(() => executor.submit((arg: unknown) => arg, arg), TypeError);
      assert(error.message.includes("moduleFunction("), error.message);
      assert(error.cause !== undefined);
    }
    assertEquals(await executor.submit((arg: number) => arg, 1).get(), 1);
  });

  law("fails a call whose result cannot be sent", async (executor) => {
    await assertRejects(() => executor.submit(() => () => 1).get(), TypeError, "result");
    assertEquals(await executor.submit(() => 1).get(), 1);
  });

  law("keeps name, message, stack, cause and own properties of an error", async (executor) => {
    const future = executor.submit(function thrower() {
      const cause = new TypeError("the reason", { cause: { code: 5 } });
      throw Object.assign(new RangeError("the error", { cause }), {
        code: "E",
        nested: new Error("in"),
      });
    });
    const error = await assertRejects(() => future.get(), RangeError, "the error");
    const { cause, code, nested } = error as RangeError & { code: string; nested: Error };
    assertStrictEquals(error.constructor, RangeError);
    assert(error.stack!.includes("thrower"), error.stack);
    assertInstanceOf(cause, TypeError);
    assertEquals([cause.message, cause.cause, code], ["the reason", { code: 5 }, "E"]);
    assertEquals([nested instanceof Error, nested.message], [true, "in"]);
  });

  law("keeps the errors of an AggregateError", async (executor) => {
    const future = executor.submit(() => Promise.any([Promise.reject(new RangeError("a"))]));
    const error = await assertRejects(() => future.get(), AggregateError);
    assertEquals(error.errors.map(String), ["RangeError: a"]);
    assertInstanceOf(error.errors[0], RangeError);
  });

  law("keeps the class of an error that both sides know", async (executor) => {
    const error = await assertRejects(() => executor.submit(jam, 3).get(), PaperJam, "tray 3");
    assertEquals([error.tray, error.name], [3, "PaperJam"]);
    const aborted = executor.submit(() => AbortSignal.abort().throwIfAborted());
    assertEquals((await assertRejects(() => aborted.get(), DOMException)).name, "AbortError");
    const denoError = executor.submit(() => Deno.readTextFileSync("/no/such/file"));
    await assertRejects(() => denoError.get(), Deno.errors.NotFound);
    const ours = executor.submit(() => {
      class Empty extends Error {}
      throw new Empty("a queue");
    });
    await assertRejects(() => ours.get(), Empty, "a queue");
  });

  law("keeps the name of an error whose class nobody knows here", async (executor) => {
    const future = executor.submit(() => {
      class Unheard extends RangeError {
        override name = "Unheard";
      }
      throw new Unheard("of");
    });
    assertEquals((await assertRejects(() => future.get(), RangeError)).name, "Unheard");
  });

  law("throws what was thrown that is no error", async (executor) => {
    const thrown: unknown[] = [];
    for (const value of ["text", { code: 1 }, undefined]) {
      await executor.submit((value: unknown) => {
        throw value;
      }, value).get().catch((error) => thrown.push(error));
    }
    assertEquals(thrown, ["text", { code: 1 }, undefined]);
    const symbol = executor.submit(() => {
      throw Symbol("s");
    });
    assertEquals(await symbol.get().catch((error) => error), "Symbol(s)");
    const circular = executor.submit(() => {
      const error = new Error("own cause");
      error.cause = error;
      throw error;
    });
    await assertRejects(() => circular.get(), Error, "own cause");
  });

  law("starts workers when they are needed, and uses them again", async (executor) => {
    const first = await executor.submit(mark).get();
    assertEquals(await executor.submit(mark).get(), first);
    const both = [executor.submit(forever), executor.submit(mark)];
    assertNotEquals(await both[1].get(), first);
    both[0].terminate();
  });

  law("replaces a worker after maxTasksPerWorker calls", async (executor) => {
    const marks = await Array.fromAsync(executor.map(mark, Array(6)));
    assertEquals(marks[0] === marks[1] && marks[2] === marks[3] && marks[4] === marks[5], true);
    assertEquals(new Set(marks).size, 3);
  }, { workers: 1, maxTasksPerWorker: 2 });

  law("runs the start-up function once in each worker", async (executor) => {
    const seen = await Array.fromAsync(executor.map(prepared, Array(3)));
    assertEquals(seen, [1, 2, 3].map((calls) => ({ made: [7, 8], calls })));
  }, {
    workers: 1,
    initializer: moduleFunction<Called, "prepare">(module, "prepare"),
    initializerArgs: [7, 8],
  });

  law("waits for an async start-up function before the first call", async (executor) => {
    const get = () => (globalThis as { ready?: boolean }).ready;
    assertEquals(await executor.submit(get).get(), true);
  }, {
    initializer: async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      (globalThis as { ready?: boolean }).ready = true;
    },
  });

  law("fails calls whose worker cannot start up, each for itself", async (executor) => {
    const futures = [1, 2, 3, 4].map((n) => executor.submit((n: number) => n, n));
    const { done } = await wait(futures, { returnWhen: FIRST_EXCEPTION });
    assert(done.size >= 1);
    for (const future of futures) {
      const error = await assertRejects(() => future.get(), BrokenExecutor, "start-up");
      assertInstanceOf(error.cause, RangeError);
    }
  }, {
    initializer: () => {
      throw new RangeError("cannot start");
    },
  });

  Deno.test(`${name} refuses options that make no sense`, () => {
    const wrong: WorkerPoolOptions[] = [{ maxTasksPerWorker: 0 }, { idleTimeout: NaN }];
    for (const options of wrong) assertThrows(() => make(1, options), RangeError);
    assertThrows(() => make(1, { initializer: Math.max }), TypeError, "native");
    const initializerArgs = [() => 1];
    assertThrows(() => make(1, { initializer: () => {}, initializerArgs }), TypeError);
  });

  law("ends a worker that has been idle for long", async (executor) => {
    const first = await executor.submit(mark).get();
    assertEquals(await executor.submit(mark).get(), first);
    let now = first;
    // Each wait is longer than the last, so that one of them is long enough on the slowest machine.
    for (let pause = 100; now === first; pause *= 2) {
      await sleep(pause);
      now = await executor.submit(mark).get();
    }
  }, { idleTimeout: 20 });

  law("fails only the call whose worker exits, and says how", async (executor) => {
    const other = executor.submit(() => new Promise((resolve) => setTimeout(resolve, 50, "other")));
    const future = executor.submit(() => Deno.exit(3));
    const error = await assertRejects(() => future.get(), BrokenExecutor, "exit code 3");
    assertInstanceOf(error, RuntimeError);
    assertEquals([await other.get(), await executor.submit(() => 1).get()], ["other", 1]);
  });

  law("fails the call of a worker that an error outside the call ends", async (executor) => {
    const future = executor.submit(() => {
      setTimeout(() => {
        throw new RangeError("outside");
      });
      return new Promise<never>((_, reject) => setTimeout(reject, 2 ** 30));
    });
    const error = await assertRejects(() => future.get(), BrokenExecutor, "outside");
    assertInstanceOf(error.cause, RangeError);
    const rejected = executor.submit(() => {
      Promise.reject(new TypeError("nobody asks"));
      return new Promise<never>((_, reject) => setTimeout(reject, 2 ** 30));
    });
    await assertRejects(() => rejected.get(), BrokenExecutor, "nobody asks");
    assertEquals(await executor.submit(() => 1).get(), 1);
  });

  law("loses no call that waits while workers die", async (executor) => {
    const die = (n: number) => n % 3 === 0 ? Deno.exit(1) : n;
    const futures = Array.from({ length: 12 }, (_, n) => executor.submit(die, n));
    await wait(futures);
    const outcomes = await Promise.all(
      futures.map((future) => future.get().catch((error) => error.name)),
    );
    assertEquals(outcomes, Array.from({ length: 12 }, (_, n) => n % 3 ? n : "BrokenExecutor"));
  });

  law("fails a call whose worker runs out of memory, and goes on", async (executor) => {
    const future = executor.submit(() => {
      const hoard: unknown[] = [];
      while (true) hoard.push(Array(1000).fill(Math.random()));
    });
    await assertRejects(() => future.get(), BrokenExecutor, "memory");
    assertEquals(await executor.submit(() => 1).get(), 1);
  }, { workers: 1, memoryLimit: 40 });

  law("leaves the call alone when who waits for it is killed or times out", async (executor) => {
    const future = executor.submit(() => new Promise((resolve) => setTimeout(resolve, 50, "done")));
    const victim = witness(() => future.get());
    await sleep(1);
    victim.task.kill();
    assertEquals(await new Timeout(1, false).run(() => future.get()), undefined);
    assertEquals([future.running, await future.get()], [true, "done"]);
  });

  law("terminates a call that computes without a pause", async (executor) => {
    const future = executor.submit((ms: number) => {
      const end = Date.now() + ms;
      while (Date.now() < end);
    }, 2000);
    while (!future.running) await sleep(1);
    assertEquals([future.terminate(), future.cancelled], [true, true]);
    await executor.shutdown(); // Does not wait for it either.
    assertThrows(() => executor.submit(() => 1), RuntimeError);
  }, { workers: 1 });

  Deno.test(`${name} keeps a virtual clock still while a call is out`, () =>
    runLoop(async (loop) => {
      await using executor = make(1);
      const sleeper = witness(() => sleep(1000));
      assertEquals(await executor.submit(() => 42).get(), 42);
      assertEquals([loop.time(), sleeper.outcome], [0, undefined]);
    }, { clock: new VirtualClock() }));
}
