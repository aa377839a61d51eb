import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import {
  CancelledError,
  current,
  Event,
  Queue,
  sleep,
  spawn,
  Task,
  TaskPoolExecutor,
  wait,
} from "../../mod.ts";
import { killAtEveryStep, type Step } from "../kill_at_every_step.ts";
import { dropLoop, outcomeOf, runLoop, withLoop } from "../run_loop.ts";
import { executorLaws } from "./executor_laws.ts";
import { streamingLaws } from "./streaming_laws.ts";

executorLaws({ name: "TaskPoolExecutor", make: (workers) => new TaskPoolExecutor(workers) });
streamingLaws({
  name: "TaskPoolExecutor",
  make: (workers) => new TaskPoolExecutor(workers),
  // A kill reaches a task in the calls of this library only.
  hang(progress) {
    progress?.send("running");
    return current.loop.switch<never>();
  },
  async *yieldAndHang() {
    yield 1;
    await current.loop.switch<never>();
  },
});

Deno.test("TaskPoolExecutor runs no more calls at a time than it has workers", () =>
  runLoop(async (loop) => {
    const executor = new TaskPoolExecutor(3);
    const start = loop.time();
    let inside = 0, most = 0;
    const futures = Array.from({ length: 10 }, () =>
      executor.submit(async () => {
        most = Math.max(most, ++inside);
        await sleep(10);
        inside--;
      }));
    assertEquals((await wait(futures)).done.size, 10);
    assertEquals([most, inside, loop.time() - start], [3, 0, 40]);
    await executor.shutdown();
  }));

Deno.test("TaskPoolExecutor runs each call as a task, which may block", () =>
  runLoop(async () => {
    await using executor = new TaskPoolExecutor(2);
    const queue = new Queue<number>();
    const got = executor.submit(() => queue.get());
    const task = executor.submit(() => current.task);
    await queue.put(5);
    assertEquals(await got.get(), 5);
    const seen = await task.get();
    assert(seen instanceof Task && seen !== current.task);
  }));

Deno.test("TaskPoolExecutor.map() submits at once, before anybody asks", () =>
  runLoop(async () => {
    await using executor = new TaskPoolExecutor(2);
    const calls: number[] = [];
    const results = executor.map((n: number) => {
      calls.push(n);
      return n * n;
    }, [1, 2, 3]);
    await sleep(1);
    assertEquals(calls, [1, 2, 3]);
    assertEquals((await results.next()).value, 1);
  }));

Deno.test("TaskPoolExecutor.map() keeps a window for an async iterable", () =>
  runLoop(async () => {
    await using executor = new TaskPoolExecutor(2);
    let taken = 0;
    async function* numbers() {
      while (true) yield await Promise.resolve(taken++);
    }
    const seen: number[] = [];
    for await (const value of executor.map((n: number) => n, numbers())) {
      seen.push(value);
      assert(taken < value + 1000, "Everything is taken before it is used");
      if (value === 20) break;
    }
    assertEquals(seen, Array.from({ length: 21 }, (_, i) => i));
  }));

Deno.test("TaskPoolExecutor.map() that is left cancels what has not begun", () =>
  runLoop(async () => {
    await using executor = new TaskPoolExecutor(1);
    const calls: number[] = [];
    for await (
      const _ of executor.map(async (n: number) => {
        calls.push(n);
        await sleep(10);
      }, [1, 2, 3, 4, 5])
    ) break;
    await sleep(100);
    assert(calls.length <= 2, `${calls.length} were called`);
  }));

Deno.test("TaskPoolExecutor.map() that is left closes an async iterable", () =>
  runLoop(async () => {
    await using executor = new TaskPoolExecutor(1);
    let closed = false;
    async function* numbers() {
      try {
        for (let n = 0;; n++) yield await Promise.resolve(n);
      } finally {
        closed = true;
      }
    }
    for await (const value of executor.map((n: number) => n, numbers())) {
      if (value === 3) break;
    }
    await sleep(1);
    assertEquals(closed, true);
  }));

Deno.test("TaskPoolExecutor does not begin a call that was cancelled", () =>
  runLoop(async () => {
    await using executor = new TaskPoolExecutor(1);
    const gate = new Event();
    const calls: number[] = [];
    const running = executor.submit(() => gate.wait());
    const futures = [1, 2, 3].map((n) => executor.submit((n) => calls.push(n), n));
    await sleep(0);
    assertEquals([running.cancel(), futures[1].cancel()], [false, true]);
    gate.set();
    await wait(futures);
    assertEquals(calls, [1, 3]);
    await assertRejects(() => futures[1].get(), CancelledError);
  }));

Deno.test("TaskPoolExecutor reports no error of a call that somebody may ask for", () =>
  runLoop(async () => {
    const executor = new TaskPoolExecutor(1);
    const thrown = new RangeError("of a call");
    const future = executor.submit(() => {
      throw thrown;
    });
    await sleep(1);
    const outcome = await outcomeOf(() => future.get());
    assertStrictEquals("error" in outcome && outcome.error, thrown);
    await executor.shutdown();
  }));

Deno.test("TaskPoolExecutor cancels the future of a call whose task is killed, and goes on", () =>
  runLoop(async () => {
    await using executor = new TaskPoolExecutor(1);
    let victim: Task | undefined;
    const killed = executor.submit(async () => {
      victim = current.task;
      await sleep(1e6);
    });
    const next = executor.submit(() => "next");
    await sleep(1);
    victim?.kill();
    const outcome = await outcomeOf(() => killed.get());
    assert("error" in outcome);
    assertInstanceOf(outcome.error, Error);
    assertEquals([killed.done, await next.get()], [true, "next"]);
  }));

Deno.test("TaskPoolExecutor that is idle and never shut down does not keep run() going", () =>
  withLoop(async (loop) => {
    spawn(async () => {
      const executor = new TaskPoolExecutor(3);
      assertEquals(await executor.submit(() => 1).get(), 1);
    });
    await loop.run();
  }));

Deno.test("TaskPoolExecutor works outside every task", async () => {
  dropLoop();
  try {
    await using executor = new TaskPoolExecutor(2);
    assertEquals(await executor.submit((n: number) => sleep(1).then(() => n), 5).get(), 5);
  } finally {
    dropLoop();
  }
});

killAtEveryStep("TaskPoolExecutor loses no worker and no call", {
  make: () => ({ executor: new TaskPoolExecutor(2), asked: 0, called: 0, got: 0 }),
  async victim(state, wait, step) {
    for (let i = 0; i < 3; i++) {
      state.asked++;
      const future = state.executor.submit(async () => {
        await step();
        state.called++;
      });
      await future.get(wait);
    }
  },
  others: Array.from({ length: 3 }, () => async (state: State, step: Step) => {
    for (let i = 0; i < 3; i++) {
      state.asked++;
      await state.executor.submit(async () => {
        await step();
        state.called++;
      }).get();
      state.got++;
    }
  }),
  async check(state) {
    await state.executor.shutdown();
    assertEquals([state.called, state.got], [state.asked, 9]);
  },
});

interface State {
  readonly executor: TaskPoolExecutor;
  asked: number;
  called: number;
  got: number;
}
