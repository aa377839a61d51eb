/** Laws of everything that can be acquired and released. */
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  BoundedSemaphore,
  Condition,
  Lock,
  RLock,
  RuntimeError,
  Semaphore,
  sleep,
  spawn,
} from "../../mod.ts";
import { killAtEveryStep, type Step } from "../kill_at_every_step.ts";
import { dropLoop, runLoop, valueOf, witness } from "../run_loop.ts";

type Lockish = Semaphore | RLock | Condition;

interface Row {
  readonly name: string;
  /** How many may hold it at once. */
  readonly permits: number;
  /** Whoever holds it may acquire it again. */
  readonly reentrant?: boolean;
  make(): Lockish;
}

const LOCKS: readonly Row[] = [
  { name: "Semaphore()", permits: 1, make: () => new Semaphore() },
  { name: "Semaphore(3)", permits: 3, make: () => new Semaphore(3) },
  {
    name: "BoundedSemaphore()",
    permits: 1,
    make: () => new BoundedSemaphore(),
  },
  {
    name: "BoundedSemaphore(2)",
    permits: 2,
    make: () => new BoundedSemaphore(2),
  },
  { name: "Lock", permits: 1, make: () => new Lock() },
  { name: "RLock", permits: 1, reentrant: true, make: () => new RLock() },
  {
    name: "Condition()",
    permits: 1,
    reentrant: true,
    make: () => new Condition(),
  },
  {
    name: "Condition(Lock)",
    permits: 1,
    make: () => new Condition(new Lock()),
  },
  {
    name: "Condition(RLock)",
    permits: 1,
    reentrant: true,
    make: () => new Condition(new RLock()),
  },
];

function law(
  sentence: string,
  body: (row: Row, lock: Lockish) => Promise<void>,
  fits = LOCKS,
) {
  for (const row of fits) {
    Deno.test(`${row.name} ${sentence}`, () => runLoop(() => body(row, row.make())));
  }
}

const PLAIN = LOCKS.filter((row) => !row.reentrant);
const REENTRANT = LOCKS.filter((row) => row.reentrant);

/** Takes all permits, each in a task that holds it until it is told to let go. */
async function holders(row: Row, lock: Lockish) {
  const gate = new Semaphore(0);
  const tasks = Array.from({ length: row.permits }, () =>
    witness(async () => {
      await lock.acquire();
      await gate.acquire();
      lock.release();
    }));
  await sleep(0);
  return { tasks, letOneGo: () => gate.release() };
}

/** Asserts that exactly as many as at the start can have it, and that all of it is free. */
async function assertAllFree(row: Row, lock: Lockish) {
  const tries = Array.from({ length: row.permits + 1 }, () =>
    witness(async () => {
      const got = lock.tryAcquire();
      await sleep(1);
      if (got) lock.release();
      return got;
    }));
  for (const one of tries) await one.task.join();
  const had = tries.map(valueOf).filter(Boolean).length;
  assertEquals(had, row.permits, "Permits were lost, or made out of nothing");
}

law("can be had as often as it has permits, and again after release", async (row, lock) => {
  for (let round = 0; round < 3; round++) await assertAllFree(row, lock);
});

law("gives true from acquire()", async (_row, lock) => {
  assertStrictEquals(await lock.acquire(), true);
  lock.release();
  assertStrictEquals(await lock.acquire({ timeout: 1 }), true);
  lock.release();
});

law("cannot be had by anybody else while it is held", async (row, lock) => {
  const { tasks, letOneGo } = await holders(row, lock);
  const other = witness(() => lock.tryAcquire());
  await other.task.join();
  assertEquals(valueOf(other), false);
  const waiter = witness(async () => {
    const got = await lock.acquire();
    lock.release();
    return got;
  });
  await sleep(100);
  assertEquals(waiter.outcome, undefined);
  letOneGo();
  await waiter.task.join();
  assertEquals(valueOf(waiter), true);
  for (let i = 1; i < row.permits; i++) letOneGo();
  for (const holder of tasks) {
    await holder.task.join();
    valueOf(holder);
  }
  await assertAllFree(row, lock);
});

law("makes its own holder wait, too", async (_row, lock) => {
  while (lock.tryAcquire());
  assertEquals(await lock.acquire({ timeout: 5 }), false);
  assertEquals(await lock.acquire({ timeout: 0 }), false);
}, PLAIN);

law("can be acquired again by its owner, who must release it as often", async (row, lock) => {
  const other = async () => {
    const seen = witness(() => lock.tryAcquire() && (lock.release(), true));
    await seen.task.join();
    return valueOf(seen);
  };
  await lock.acquire();
  await lock.acquire();
  assert(lock.tryAcquire());
  assertEquals(await other(), false);
  lock.release();
  assertEquals(await other(), false);
  lock.release();
  assertEquals(await other(), false);
  lock.release();
  assertEquals(await other(), true);
  await assertAllFree(row, lock);
}, REENTRANT);

law("can be released by its owner only", async (row, lock) => {
  const holder = witness(async () => {
    await lock.acquire();
    await sleep(10);
    lock.release();
  });
  await sleep(0);
  assertThrows(() => lock.release(), RuntimeError);
  await holder.task.join();
  valueOf(holder);
  assertThrows(() => lock.release(), RuntimeError);
  await assertAllFree(row, lock);
}, REENTRANT);

law("that is held by nobody cannot be released", async (row, lock) => {
  assertThrows(() => lock.release(), RuntimeError);
  await lock.acquire();
  lock.release();
  assertThrows(() => lock.release(), RuntimeError);
  await assertAllFree(row, lock);
}, LOCKS.filter((row) => !/Semaphore/.test(row.name)));

law("can be released by another task than took it", async (row, lock) => {
  const taker = witness(() => lock.acquire());
  await taker.task.join();
  lock.release();
  await assertAllFree(row, lock);
}, PLAIN);

law("that is released goes to the longest waiter, not to who asks first", async (row, lock) => {
  const { tasks, letOneGo } = await holders(row, lock);
  const order: string[] = [];
  const waiter = witness(async () => {
    await lock.acquire();
    order.push("waiter");
    await sleep(0);
    lock.release();
  });
  await sleep(0);
  letOneGo();
  // The holder runs after this, and the barger after the holder.
  const barger = witness(async () => {
    order.push(`barger: ${lock.tryAcquire()}`);
    await lock.acquire();
    order.push("barger");
    lock.release();
  });
  await waiter.task.join();
  await barger.task.join();
  for (let i = 1; i < row.permits; i++) letOneGo();
  for (const holder of tasks) await holder.task.join();
  assertEquals(order, ["barger: false", "waiter", "barger"]);
  await assertAllFree(row, lock);
});

law("cannot be had again at once by who released it, if somebody waits", async (_row, lock) => {
  while (!lockedBySelf(lock));
  const waiter = witness(async () => {
    await lock.acquire();
    lock.release();
  });
  await sleep(0);
  lock.release();
  assertEquals(lock.tryAcquire(), false);
  assertEquals(await lock.acquire({ timeout: 0 }), false);
  await waiter.task.join();
  valueOf(waiter);
  assertEquals(lock.tryAcquire(), true);
});

/** Takes one permit; true when no more can be had by others, for what is not reentrant. */
function lockedBySelf(lock: Lockish): boolean {
  if (!lock.tryAcquire()) return true;
  return !(lock instanceof Semaphore);
}

law("is held while with() runs, and not after it", async (row, lock) => {
  const value = await lock.with(async () => {
    await sleep(1);
    const other = witness(() => lock.tryAcquire() && (lock.release(), true));
    await other.task.join();
    assertEquals(valueOf(other), row.permits > 1);
    return 42;
  });
  assertEquals(value, 42);
  await assertAllFree(row, lock);
});

law("takes a function that is not async in with()", async (row, lock) => {
  assertEquals(await lock.with(() => "value"), "value");
  await assertAllFree(row, lock);
});

law("is released by with() when its function throws", async (row, lock) => {
  const thrown = new RangeError("thrown within");
  const sync = await assertRejects(() =>
    lock.with(() => {
      throw thrown;
    })
  );
  assertStrictEquals(sync, thrown);
  const async = await assertRejects(() =>
    lock.with(async () => {
      await sleep(0);
      throw thrown;
    })
  );
  assertStrictEquals(async, thrown);
  await assertAllFree(row, lock);
});

law("is released by with() when its task is killed within", async (row, lock) => {
  const victim = spawn(() => lock.with(() => sleep(1e6)));
  await sleep(0);
  victim.kill();
  await victim.join();
  await assertAllFree(row, lock);
});

law("is held by hold() until it is disposed of, once", async (row, lock) => {
  {
    using held = await lock.hold();
    assert(held);
    const other = witness(() => lock.tryAcquire() && (lock.release(), true));
    await other.task.join();
    assertEquals(valueOf(other), row.permits > 1);
  }
  await assertAllFree(row, lock);
  const held = await lock.hold();
  held[Symbol.dispose]();
  await assertAllFree(row, lock);
});

law("is not released twice by a hold() that is disposed of twice", async (row, lock) => {
  const held = await lock.hold();
  held[Symbol.dispose]();
  held[Symbol.dispose]();
  await assertAllFree(row, lock);
});

law("counts the timeout of with() and hold() for acquiring only", async (row, lock) => {
  assertEquals(await lock.with(() => sleep(50).then(() => 1), { timeout: 5 }), 1);
  {
    using _held = await lock.hold({ timeout: 5 });
    await sleep(50);
  }
  await assertAllFree(row, lock);
});

law("keeps no permit when with() or hold() time out, nor calls the function", async (row, lock) => {
  const { tasks, letOneGo } = await holders(row, lock);
  let called = false;
  const victims = [
    witness(() => lock.with(() => void (called = true), { timeout: 5 })),
    witness(() => lock.hold({ timeout: 5 })),
  ];
  for (const victim of victims) {
    await victim.task.join();
    const { outcome } = victim;
    assert(outcome && "error" in outcome);
    assertInstanceOf(outcome.error, Error);
    assertEquals(outcome.error.name, "TimeoutError");
  }
  for (let i = 0; i < row.permits; i++) letOneGo();
  for (const holder of tasks) await holder.task.join();
  assertEquals(called, false);
  await assertAllFree(row, lock);
});

for (const row of LOCKS) {
  interface State {
    readonly lock: Lockish;
    inside: number;
    most: number;
  }
  const section = async (state: State, step: Step) => {
    state.inside++;
    state.most = Math.max(state.most, state.inside);
    try {
      await step();
    } finally {
      state.inside--;
    }
  };
  for (const way of ["acquire", "with", "hold"] as const) {
    killAtEveryStep<State>(`${row.name} loses no permit through ${way}()`, {
      make: () => ({ lock: row.make(), inside: 0, most: 0 }),
      async victim(state, wait, step) {
        for (let i = 0; i < 3; i++) {
          if (way === "with") {
            await state.lock.with(() => section(state, step), wait);
          }
          if (way === "hold") {
            using _held = await state.lock.hold(wait);
            await section(state, step);
          }
          if (way === "acquire") {
            if (!await state.lock.acquire(wait)) return false;
            try {
              await section(state, step);
            } finally {
              state.lock.release();
            }
          }
          await step();
        }
      },
      others: Array.from(
        { length: 4 },
        () => async (state: State, step: Step) => {
          for (let i = 0; i < 3; i++) {
            await state.lock.with(() => section(state, step));
          }
        },
      ),
      async check(state) {
        assert(state.most <= row.permits);
        assertEquals(state.inside, 0);
        await assertAllFree(row, state.lock);
      },
    });
  }
}

Deno.test("Lock, RLock and Condition work outside every task", async () => {
  dropLoop();
  try {
    for (const lock of [new Lock(), new RLock(), new Condition()]) {
      assertEquals(await lock.acquire(), true);
      const other = spawn(() => lock.with(() => {}));
      await sleep(1);
      assertEquals(other.isAlive(), true);
      lock.release();
      assertEquals(await other.join(), true);
    }
  } finally {
    dropLoop();
  }
});
