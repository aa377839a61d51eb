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
  Future,
  RuntimeError,
  sleep,
  TimeoutError,
  wait,
} from "../../mod.ts";
import { killAtEveryStep } from "../kill_at_every_step.ts";
import { errorOf, outcomeOf, runLoop, valueOf, withLoop, witness } from "../run_loop.ts";

/** A future in each state in which one can be. */
const STATES = {
  pending: () => new Future<number>(),
  running() {
    const future = new Future<number>();
    future.setRunningOrNotifyCancel();
    return future;
  },
  cancelled() {
    const future = new Future<number>();
    future.cancel();
    return future;
  },
  "cancelled and noticed"() {
    const future = new Future<number>();
    future.cancel();
    future.setRunningOrNotifyCancel();
    return future;
  },
  failed() {
    const future = new Future<number>();
    future.setException(new RangeError("failed"));
    return future;
  },
  succeeded() {
    const future = new Future<number>();
    future.setResult(42);
    return future;
  },
};

type State = keyof typeof STATES;

function eachState(
  sentence: string,
  body: (future: Future<number>, state: State) => void | Promise<void>,
) {
  for (const state of Object.keys(STATES) as State[]) {
    Deno.test(`Future that is ${state} ${sentence}`, () =>
      runLoop(() => body(STATES[state](), state)));
  }
}

eachState("says whether it is done or cancelled", (future, state) => {
  assertEquals(future.done, !["pending", "running"].includes(state));
  assertEquals(future.cancelled, state.startsWith("cancelled"));
});

eachState("can be cancelled only while nobody works on it", (future, state) => {
  const can = state === "pending" || state.startsWith("cancelled");
  assertEquals([future.cancel(), future.cancelled], [can, can]);
  assertEquals(future.cancel(), can);
});

eachState("gives what it has with timeout 0", async (future, state) => {
  for (let time = 0; time < 2; time++) {
    const outcome = await outcomeOf(() => future.get({ timeout: 0 }));
    if (state === "succeeded") assertEquals(outcome, { value: 42 });
    else {
      const expected = state === "failed"
        ? RangeError
        : state.startsWith("cancelled")
        ? CancelledError
        : TimeoutError;
      assertInstanceOf("error" in outcome && outcome.error, expected);
    }
  }
});

eachState("can be settled once", (future, state) => {
  const open = state === "pending" || state === "running";
  if (open) future.setResult(1);
  assertThrows(() => future.setResult(2), RuntimeError);
  assertThrows(() => future.setException(new Error("x")), RuntimeError);
  assertEquals(future.done, true);
});

eachState("keeps what it was settled with", async (future, state) => {
  if (state !== "succeeded") return;
  await outcomeOf(() => future.setResult(7));
  await outcomeOf(() => future.setException(new Error("x")));
  assertEquals(await future.get(), 42);
});

eachState("calls what is added at once when it is done, or if it is", (future, state) => {
  const seen: Future<number>[] = [];
  future.addDoneCallback((one) => void seen.push(one));
  assertEquals(seen.length, future.done ? 1 : 0);
  if (state === "pending") future.cancel();
  else if (state === "running") future.setException(new RangeError("x"));
  assertEquals(seen.length, 1);
  assertStrictEquals(seen[0], future);
});

Deno.test("Future.setRunningOrNotifyCancel() tells an executor whether to go on", () => {
  assertEquals(new Future().setRunningOrNotifyCancel(), true);
  const cancelled = new Future();
  cancelled.cancel();
  assertEquals(cancelled.setRunningOrNotifyCancel(), false);
});

Deno.test("Future.get() waits for the value, in any number of tasks", () =>
  runLoop(async (loop) => {
    const future = new Future<string>();
    const getters = [1, 2, 3].map(() => witness(() => future.get()));
    loop.callLater(10, () => future.setResult("value"));
    for (const getter of getters) await getter.task.join();
    assertEquals([...getters.map(valueOf), await future.get()], [
      "value",
      "value",
      "value",
      "value",
    ]);
  }));

Deno.test("Future.get() throws the call's own error, however often it is asked", () =>
  runLoop(async () => {
    for (const error of [new RangeError("own"), "text", undefined]) {
      const future = new Future<void>();
      const getter = witness(() => future.get());
      await sleep(0);
      future.setException(error);
      await getter.task.join();
      assertStrictEquals(errorOf(getter), error);
      assertEquals(await outcomeOf(() => future.get()), { error });
    }
  }));

Deno.test("Future.get() throws CancelledError when it is cancelled while waiting", () =>
  runLoop(async () => {
    const future = new Future<void>();
    const getter = witness(() => future.get({ timeout: 1e6 }));
    await sleep(0);
    assertEquals(future.cancel(), true);
    await getter.task.join();
    const error = errorOf(getter);
    assertInstanceOf(error, CancelledError);
    assertEquals(error.name, "CancelledError");
  }));

Deno.test("Future.get() that gives up leaves the future to the others", () =>
  runLoop(async () => {
    const future = new Future<number>();
    await assertRejects(() => future.get({ timeout: 5 }), TimeoutError);
    const victim = witness(() => future.get());
    await sleep(0);
    victim.task.kill();
    await victim.task.join();
    assertEquals(future.done, false);
    future.setResult(1);
    assertEquals(await future.get(), 1);
  }));

Deno.test("Future of a promise-like value gives that value, as it is", () =>
  runLoop(async () => {
    const future = new Future<{ a: number }>();
    const value = { a: 1 };
    future.setResult(value);
    assertStrictEquals(await future.get(), value);
    const nothing = new Future<undefined>();
    nothing.setResult(undefined);
    assertEquals(await nothing.get(), undefined);
  }));

Deno.test("Future calls its callbacks in order, each once", () => {
  for (const settle of ["setResult", "setException", "cancel"] as const) {
    const future = new Future<number>();
    const order: string[] = [];
    for (const n of [1, 2, 3]) {
      future.addDoneCallback((one) => {
        order.push(`${n}, ${one.done}`);
        if (n === 1) future.addDoneCallback(() => void order.push("late"));
      });
    }
    if (settle === "setResult") future.setResult(1);
    else if (settle === "setException") future.setException(new RangeError("x"));
    else {
      future.cancel();
      future.setRunningOrNotifyCancel();
    }
    assertEquals(order.length, 4);
    assertEquals(order.filter((one) => one !== "late"), ["1, true", "2, true", "3, true"]);
  }
});

Deno.test("Future reports what a callback throws, calls the next, and raises nothing", () => {
  const reports: ExceptionContext[] = [];
  return runLoop(async () => {
    const thrown = new RangeError("from a callback");
    const fail = () => {
      throw thrown;
    };
    let called = 0;
    const future = new Future<number>();
    future.addDoneCallback(fail);
    future.addDoneCallback(() => void called++);
    future.setResult(1);
    future.addDoneCallback(fail);
    await sleep(1);
    assertEquals([called, reports.map((report) => report.error === thrown)], [1, [true, true]]);
    assertEquals(await future.get(), 1);
  }, { reports });
});

Deno.test("Future that failed and that nobody asks is not reported", () =>
  withLoop(async (loop) => {
    const future = new Future<number>();
    future.setException(new Error("nobody's business"));
    loop.callLater(10, () => {});
    await loop.run();
    await new Promise((resolve) => setTimeout(resolve, 1));
    assert(future.done);
  }));

killAtEveryStep("Future gives its value to everybody", {
  make: () => ({ future: new Future<number>(), got: 0 }),
  async victim(state, wait) {
    await state.future.get(wait);
  },
  others: [
    async (state) => {
      const value = await state.future.get();
      state.got += value;
    },
    async (state, step) => {
      for (let i = 0; i < 3; i++) await step();
      state.future.setResult(5);
    },
    async (state) => {
      const value = await state.future.get();
      state.got += value;
    },
  ],
  check: (state) => assertEquals(state.got, 10),
});

killAtEveryStep("wait() and asCompleted() see every future that is done", {
  make: () => ({ futures: [1, 2, 3].map(() => new Future<number>()), seen: [] as number[] }),
  async victim(state, options) {
    await wait(state.futures, options);
    for await (const future of asCompleted(state.futures, options)) await future.get(options);
  },
  others: [
    async (state) => {
      const { done } = await wait(state.futures);
      state.seen.push(done.size);
    },
    async (state, step) => {
      for (const [n, future] of state.futures.entries()) {
        await step();
        future.setResult(n);
      }
    },
    async (state) => {
      for await (const future of asCompleted(state.futures)) state.seen.push(await future.get());
    },
  ],
  check: (state) => assertEquals(state.seen.toSorted(), [0, 1, 2, 3]),
});
