/** The laws of waiting, on every call of the library that can wait. */
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertStrictEquals,
} from "@std/assert";
import {
  current,
  DeadlockError,
  type EventLoop,
  sleep,
  spawn,
  Task,
  TaskExit,
  type WaitOptions,
} from "../../mod.ts";
import {
  dropLoop,
  errorOf,
  type Outcome,
  outcomeOf,
  runLoop,
  valueOf,
  withLoop,
  witness,
} from "../run_loop.ts";
import { BLOCKING_CALLS, type BlockingCall, type Waited } from "./blocking_calls.ts";

/** Lets everybody who is ready run until nobody is. */
async function settle() {
  for (let i = 0; i < 10; i++) await sleep(0);
}

/** Asserts that `outcome` is what the row gives when its time has passed. */
function assertLate(row: BlockingCall, outcome: Outcome<unknown> | undefined) {
  assert(outcome, "The wait did not end");
  if (row.late === false) assertEquals(outcome, { value: false });
  else {assertInstanceOf(
      "error" in outcome ? outcome.error : undefined,
      row.late,
    );}
}

/** Asserts that `outcome` is that of a wait that was served. */
function assertServed(
  row: BlockingCall,
  outcome: Outcome<unknown> | undefined,
) {
  assert(outcome, "The wait did not end");
  if ("error" in outcome) throw outcome.error;
  if (row.late === false) assertEquals(outcome.value, true);
}

/** Asserts that whoever waits next is served by the next wake-up: nothing stands in line before. */
async function assertNextIsServed(row: BlockingCall, waited: Waited) {
  const next = witness(() => waited.wait());
  await settle();
  assertEquals(next.outcome, undefined);
  waited.wake();
  await next.task.join();
  assertServed(row, next.outcome);
}

/** Calls in this task, and asserts that nobody else ran meanwhile. */
async function withoutYielding(
  call: () => Promise<unknown>,
): Promise<Outcome<unknown>> {
  let yielded = false;
  const other = spawn(() => void (yielded = true));
  // Not within outcomeOf(): an async method rejects, it does not throw.
  const promise = call();
  const outcome = await outcomeOf(() => promise);
  assertEquals(yielded, false, "Another task ran");
  await other.join();
  return outcome;
}

type Law = (
  row: BlockingCall,
  waited: Waited,
  loop: EventLoop,
) => Promise<void>;

/** Registers a test of `law` for each row that `fits`. */
function law(
  sentence: string,
  body: Law,
  fits: (row: BlockingCall) => unknown = () => true,
) {
  for (const row of BLOCKING_CALLS) {
    if (!fits(row)) continue;
    Deno.test(`${row.name} ${sentence}`, () =>
      runLoop(async (loop) => await body(row, await row.make(), loop)));
  }
}

law("waits until it is served", async (row, waited) => {
  const waiter = witness(() => waited.wait());
  await settle();
  assertEquals(waiter.outcome, undefined);
  assertEquals(waiter.task.state, "waiting");
  waited.wake();
  await waiter.task.join();
  assertServed(row, waiter.outcome);
});

law("lets nobody in when it need not wait", async (row, waited) => {
  waited.wake();
  await settle();
  assertServed(row, await withoutYielding(() => waited.wait()));
}, (row) =>
  row.keeps && !row.name.startsWith("Channel") &&
  !row.name.includes("select"));

law("gives up when its time has passed, and leaves no trace", async (row, waited, loop) => {
  const start = loop.time();
  assertLate(row, await outcomeOf(() => waited.wait({ timeout: 50 })));
  assertEquals(loop.time() - start, 50);
  await assertNextIsServed(row, waited);
}, (row) => !row.owned);

law("gives up in another task when its time has passed", async (row, waited, loop) => {
  const start = loop.time();
  const waiter = witness(() => waited.wait({ timeout: 50 }));
  await waiter.task.join();
  assertLate(row, waiter.outcome);
  assertEquals(loop.time() - start, 50);
  await assertNextIsServed(row, waited);
});

law("does not wait with timeout 0", async (row, waited, loop) => {
  const start = loop.time();
  const waiter = witness(() => waited.wait({ timeout: 0 }));
  await waiter.task.join();
  assertLate(row, waiter.outcome);
  assertEquals(loop.time(), start);
  await assertNextIsServed(row, waited);
});

law("has what is there with timeout 0", async (row, waited) => {
  waited.wake();
  await settle();
  const waiter = witness(() => waited.wait({ timeout: 0 }));
  await waiter.task.join();
  assertServed(row, waiter.outcome);
}, (row) => row.keeps);

law("waits for ever with timeout undefined or Infinity", async (row, waited) => {
  const waiters = [undefined, Infinity].map((timeout) => witness(() => waited.wait({ timeout })));
  await sleep(2 ** 40);
  assertEquals(waiters.map((waiter) => waiter.outcome), [
    undefined,
    undefined,
  ]);
  for (const waiter of waiters) {
    if (row.serves === "one" || waiter === waiters[0]) waited.wake();
    await waiter.task.join();
    assertServed(row, waiter.outcome);
  }
});

const WRONG: readonly [unknown, typeof RangeError | typeof TypeError][] = [
  [-1, RangeError],
  [-Infinity, RangeError],
  [NaN, RangeError],
  ["5", TypeError],
  [null, TypeError],
  [5n, TypeError],
  [{}, TypeError],
];

law("rejects a wrong timeout, and nothing has yielded", async (row, waited) => {
  for (const [timeout, errorClass] of WRONG) {
    const wrong = { timeout } as WaitOptions;
    const outcome = await withoutYielding(() => waited.wait(wrong));
    assertInstanceOf(
      "error" in outcome ? outcome.error : undefined,
      errorClass,
    );
  }
  await assertNextIsServed(row, waited);
}, (row) => !row.owned);

law("rejects a wrong timeout in another task", async (row, waited) => {
  for (const [timeout, errorClass] of WRONG) {
    const waiter = witness(() => waited.wait({ timeout } as WaitOptions));
    await waiter.task.join();
    assertInstanceOf(errorOf(waiter), errorClass);
  }
  await assertNextIsServed(row, waited);
});

law("rejects a wrong timeout even where something is there, and leaves it", async (row, waited) => {
  waited.wake();
  await settle();
  for (const [timeout, errorClass] of WRONG) {
    const outcome = await withoutYielding(() => waited.wait({ timeout } as WaitOptions));
    assertInstanceOf(
      "error" in outcome ? outcome.error : undefined,
      errorClass,
    );
  }
  assertServed(row, await outcomeOf(() => waited.wait()));
}, (row) => row.keeps);

law("rejects at once with the reason of an aborted signal", async (row, waited) => {
  const reason = new Error("enough");
  const waiter = witness(() => waited.wait({ signal: AbortSignal.abort(reason) }));
  await waiter.task.join();
  assertStrictEquals(errorOf(waiter), reason);
  await assertNextIsServed(row, waited);
});

law("takes nothing when its signal is aborted already", async (row, waited) => {
  waited.wake();
  await settle();
  const reason = { any: "value" };
  const outcome = await withoutYielding(() => waited.wait({ signal: AbortSignal.abort(reason) }));
  assertStrictEquals("error" in outcome ? outcome.error : undefined, reason);
  assertServed(row, await outcomeOf(() => waited.wait()));
}, (row) => row.keeps);

law("rejects with the signal's reason, whatever it is, when aborted", async (row, waited) => {
  for (const reason of [new RangeError("enough"), "enough", 0, false]) {
    const controller = new AbortController();
    const waiter = witness(() => waited.wait({ signal: controller.signal }));
    await settle();
    controller.abort(reason);
    await waiter.task.join();
    assertStrictEquals(errorOf(waiter), reason);
  }
  await assertNextIsServed(row, waited);
});

law("throws the kill out of the wait, and leaves no trace", async (row, waited) => {
  const reason = new RangeError("killed");
  for (const error of [undefined, reason]) {
    const waiter = witness(() => waited.wait());
    await settle();
    if (error) waiter.task.kill(error);
    else waiter.task.kill();
    await waiter.task.join();
    if (error) assertStrictEquals(errorOf(waiter), error);
    else assertInstanceOf(errorOf(waiter), TaskExit);
  }
  await assertNextIsServed(row, waited);
});

/** Waits, and then blocks once more; tells how both ended. */
async function waitTwice(waited: Waited, options?: WaitOptions) {
  const first = await outcomeOf(() => waited.wait(options));
  const second = await outcomeOf(() => sleep(0));
  return { first, second };
}

law("succeeds when woken and killed in the same turn; the kill comes next", async (row, waited) => {
  const victim = witness(() => waitTwice(waited));
  await settle();
  waited.wake();
  victim.task.kill();
  await victim.task.join();
  const { first, second } = valueOf(victim);
  assertServed(row, first);
  assertInstanceOf("error" in second ? second.error : undefined, TaskExit);
}, (row) => !row.indirect);

law("succeeds when woken and aborted in the same turn", async (row, waited) => {
  const controller = new AbortController();
  const victim = witness(() => waitTwice(waited, { signal: controller.signal }));
  await settle();
  waited.wake();
  controller.abort();
  await victim.task.join();
  const { first, second } = valueOf(victim);
  assertServed(row, first);
  assertEquals(second, { value: undefined });
}, (row) => !row.indirect);

for (const blow of ["killed", "aborted"] as const) {
  law(
    `serves the next when ${blow} and woken in the same turn`,
    async (row, waited) => {
      const controller = new AbortController();
      const victim = witness(() => waited.wait({ signal: controller.signal }));
      const next = witness(() => waited.wait());
      await settle();
      if (blow === "killed") victim.task.kill();
      else controller.abort();
      waited.wake();
      await next.task.join();
      assertServed(row, next.outcome);
      await victim.task.join();
      assert(errorOf(victim));
    },
  );
}

law("loses no wake-up when woken as its time passes", async (row, waited) => {
  for (const wakerFirst of [true, false]) {
    const victim = witness(() => waited.wait({ timeout: 10 }));
    const next = witness(() => waited.wait());
    // Whose timer was set first decides who is first in that turn.
    if (!wakerFirst) await sleep(0);
    await sleep(10);
    waited.wake();
    await victim.task.join();
    await settle();
    assert(victim.outcome);
    const late = "error" in victim.outcome || victim.outcome.value === false;
    if (late) assertLate(row, victim.outcome);
    else assertServed(row, victim.outcome);
    if (row.serves === "one") {
      assertEquals(
        next.outcome !== undefined,
        late,
        "Two were served by one, or none",
      );
      if (!late) waited.wake();
    }
    await next.task.join();
    assertServed(row, next.outcome);
    // The rest cannot be used up and waited for again.
    if (row.serves !== "one") return;
  }
});

law("is served in the order of asking", async (row, waited) => {
  const order: number[] = [];
  const waiters = [0, 1, 2, 3].map((i) =>
    witness(async () => {
      await waited.wait();
      order.push(i);
    })
  );
  await settle();
  for (const waiter of waiters) {
    if (row.serves === "one" || waiter === waiters[0]) waited.wake();
    await waiter.task.join();
    valueOf(waiter);
  }
  assertEquals(order, [0, 1, 2, 3]);
});

law("keeps the order of the others when some give up", async (row, waited) => {
  const order: number[] = [];
  const controller = new AbortController();
  const options: WaitOptions[] = [
    {},
    {},
    { timeout: 5 },
    {},
    { signal: controller.signal },
    {},
  ];
  const waiters = options.map((option, i) =>
    witness(async () => {
      if (await waited.wait(option) !== false) order.push(i);
    })
  );
  await settle();
  waiters[1].task.kill();
  controller.abort();
  await sleep(5);
  await settle();
  const staying = [0, 3, 5];
  for (const i of staying) {
    if (row.serves === "one" || i === 0) waited.wake();
    await waiters[i].task.join();
    valueOf(waiters[i]);
  }
  assertEquals(order, staying);
});

for (const end of ["served", "killed", "aborted"] as const) {
  for (const row of BLOCKING_CALLS) {
    Deno.test(`${row.name} leaves no timer and no listener behind when ${end}`, () =>
      withLoop(async (loop) => {
        const start = loop.time();
        const controller = new AbortController();
        const listeners = countListeners(controller.signal);
        spawn(async () => {
          const waited = await row.make();
          const waiter = witness(() => waited.wait({ timeout: 1e6, signal: controller.signal }));
          await settle();
          if (end === "killed") waiter.task.kill();
          else if (end === "aborted") controller.abort();
          waited.wake();
        });
        await loop.run();
        assertEquals(loop.time(), start);
        if (end !== "aborted") assertEquals(listeners(), 0);
      }));
  }
}

/** Counts the listeners a signal has, from now on. */
function countListeners(signal: AbortSignal): () => number {
  let count = 0;
  const add = signal.addEventListener, remove = signal.removeEventListener;
  signal.addEventListener = function (
    this: AbortSignal,
    ...args: Parameters<typeof add>
  ) {
    count++;
    add.apply(this, args);
  } as typeof add;
  signal.removeEventListener = function (
    this: AbortSignal,
    ...args: Parameters<typeof remove>
  ) {
    count--;
    remove.apply(this, args);
  } as typeof remove;
  return () => count;
}

for (const row of BLOCKING_CALLS) {
  if (row.owned) continue;
  Deno.test(`${row.name} waits outside every task, too`, async () => {
    dropLoop();
    try {
      const waited = await row.make();
      assertLate(row, await outcomeOf(() => waited.wait({ timeout: 1 })));
      current.loop.callLater(1, () => waited.wake());
      assertServed(row, await outcomeOf(() => waited.wait()));
    } finally {
      dropLoop();
    }
  });
}

for (const row of BLOCKING_CALLS) {
  Deno.test(`${row.name} is named with its place when it can never be served`, () =>
    withLoop(async (loop) => {
      let stuck: Task | undefined;
      spawn(async () => {
        const waited = await row.make();
        stuck = new Task(async () => {
          await waited.wait();
        }, { name: "the stuck one" }).start();
      });
      const outcome = await outcomeOf(() => loop.run());
      const error = "error" in outcome ? outcome.error : undefined;
      assertInstanceOf(error, DeadlockError);
      assert(stuck && error.tasks.includes(stuck));
      assertMatch(error.message, /the stuck one/);
      assertMatch(error.message, /blocking_calls(_test)?\.ts:\d+/);
      const kind = /select|Semaphore|Lock|Condition\.wait|Queue|Channel|Event|Future|Task/;
      // Who acquires a condition waits for its lock.
      assertMatch(error.message, new RegExp(kind.exec(row.name)?.[0] ?? "Lock", "i"));
    }));
}
