import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import {
  Condition,
  Lock,
  RLock,
  RuntimeError,
  Semaphore,
  sleep,
  spawn,
  TaskExit,
} from "../../mod.ts";
import { killAtEveryStep } from "../kill_at_every_step.ts";
import { errorOf, outcomeOf, runLoop, valueOf, witness } from "../run_loop.ts";

const KINDS = [
  { name: "Condition()", make: () => new Condition() },
  { name: "Condition(Lock)", make: () => new Condition(new Lock()) },
  { name: "Condition(RLock)", make: () => new Condition(new RLock()) },
  { name: "Condition(Semaphore)", make: () => new Condition(new Semaphore(1)) },
] as const;

/** `n` tasks that wait, and the order in which they come out. */
function waiters(condition: Condition, n: number) {
  const order: number[] = [];
  const tasks = Array.from({ length: n }, (_, i) =>
    witness(() =>
      condition.with(async () => {
        const notified = await condition.wait();
        order.push(i);
        return notified;
      })
    ));
  return { order, tasks };
}

for (const { name, make } of KINDS) {
  const test = (sentence: string, body: (condition: Condition) => Promise<void>) =>
    Deno.test(`${name} ${sentence}`, () => runLoop(() => body(make())));

  test("refuses to wait or notify without its lock", async (condition) => {
    await assertRejects(() => condition.wait(), RuntimeError);
    await assertRejects(() => condition.waitFor(() => true), RuntimeError);
    await assertRejects(() => condition.wait({ timeout: 1 }), RuntimeError);
    assertThrows(() => condition.notify(), RuntimeError);
    assertThrows(() => condition.notify(0), RuntimeError);
    assertThrows(() => condition.notifyAll(), RuntimeError);
    await condition.acquire();
    condition.release();
    assertThrows(() => condition.notify(), RuntimeError);
  });

  test("wakes one waiter a notification, the longest first", async (condition) => {
    const { order, tasks } = waiters(condition, 3);
    await sleep(0);
    for (let i = 0; i < 3; i++) {
      await condition.with(() => condition.notify());
      await sleep(10);
      assertEquals(order.length, i + 1);
    }
    assertEquals(order, [0, 1, 2]);
    assertEquals(tasks.map(valueOf), [true, true, true]);
  });

  test("wakes as many as notify(n) says, and those still waiting later", async (condition) => {
    const { order } = waiters(condition, 5);
    await sleep(0);
    await condition.with(() => condition.notify(3));
    await sleep(10);
    assertEquals(order, [0, 1, 2]);
    await condition.with(() => condition.notify(5));
    await sleep(10);
    assertEquals(order, [0, 1, 2, 3, 4]);
  });

  test("wakes everybody with notifyAll(), in order", async (condition) => {
    const { order, tasks } = waiters(condition, 4);
    await sleep(0);
    await condition.with(() => condition.notifyAll());
    for (const one of tasks) await one.task.join();
    assertEquals(order, [0, 1, 2, 3]);
  });

  test("keeps no notification for later", async (condition) => {
    await condition.with(() => condition.notify(3));
    await condition.with(() => condition.notifyAll());
    const late = witness(() => condition.with(() => condition.wait({ timeout: 5 })));
    await late.task.join();
    assertEquals(valueOf(late), false);
  });

  test("wakes nobody before the lock is released", async (condition) => {
    const { order } = waiters(condition, 1);
    await sleep(0);
    await condition.acquire();
    condition.notify();
    await sleep(10);
    assertEquals(order, []);
    condition.release();
    await sleep(1);
    assertEquals(order, [0]);
  });

  test("gives its lock away while a task waits, and back before wait() returns", async (condition) => {
    let held = false;
    const waiter = witness(() =>
      condition.with(async () => {
        held = true;
        await condition.wait();
        held = true;
        await sleep(5);
        held = false;
      })
    );
    await sleep(0);
    assert(condition.tryAcquire(), "The lock was kept by a waiting task");
    assertEquals(held, true);
    held = false;
    condition.notify();
    condition.release();
    await sleep(1);
    assertEquals([held, condition.tryAcquire()], [true, false]);
    await waiter.task.join();
    valueOf(waiter);
    assertEquals(condition.tryAcquire(), true);
  });

  test("has its lock back after a timeout, even if that takes longer", async (condition) => {
    const waiter = witness(() =>
      condition.with(async () => {
        const notified = await condition.wait({ timeout: 5 });
        // The lock is held here, or this would throw.
        condition.notify();
        return notified;
      })
    );
    await sleep(0);
    await condition.acquire();
    await sleep(50);
    assertEquals(waiter.outcome, undefined);
    condition.release();
    await waiter.task.join();
    assertEquals(valueOf(waiter), false);
    assert(condition.tryAcquire());
  });

  test("has its lock back before a kill is thrown out of wait()", async (condition) => {
    let inner: unknown;
    const victim = witness(() =>
      condition.with(async () => {
        try {
          await condition.wait();
        } finally {
          inner = await outcomeOf(() => condition.notify());
        }
      })
    );
    await sleep(0);
    await condition.acquire();
    victim.task.kill();
    await sleep(5);
    assertEquals(victim.outcome, undefined);
    condition.release();
    await victim.task.join();
    assertInstanceOf(errorOf(victim), TaskExit);
    assertEquals(inner, { value: undefined }, "The lock was not held after the kill");
    assert(condition.tryAcquire());
  });

  test("has its lock back before an abort is thrown out of wait()", async (condition) => {
    const controller = new AbortController();
    const victim = witness(() =>
      condition.with(() => condition.wait({ signal: controller.signal }))
    );
    await sleep(0);
    await condition.acquire();
    controller.abort(new RangeError("enough"));
    await sleep(5);
    assertEquals(victim.outcome, undefined);
    condition.release();
    await victim.task.join();
    assertInstanceOf(errorOf(victim), RangeError);
    assert(condition.tryAcquire());
  });

  test("loses no notification on a task that is killed in the same turn", async (condition) => {
    for (const killFirst of [true, false]) {
      const victim = witness(() => condition.with(() => condition.wait()));
      const next = witness(() => condition.with(() => condition.wait({ timeout: 20 })));
      await sleep(0);
      await condition.acquire();
      if (killFirst) victim.task.kill();
      condition.notify();
      if (!killFirst) victim.task.kill();
      condition.release();
      await victim.task.join();
      await next.task.join();
      const victimHadIt = victim.outcome && "value" in victim.outcome;
      assertEquals(valueOf(next), !victimHadIt);
      if (killFirst) assertInstanceOf(errorOf(victim), TaskExit);
    }
  });

  test("waits for a predicate, looking each time it is notified", async (condition) => {
    let state = 0;
    const seen: number[] = [];
    const waiter = witness(() =>
      condition.with(() => condition.waitFor(() => (seen.push(state), state === 4)))
    );
    for (let i = 0; i < 4; i++) {
      await sleep(10);
      await condition.with(() => {
        state++;
        condition.notify();
      });
    }
    await waiter.task.join();
    assertEquals(valueOf(waiter), true);
    assertEquals(seen, [0, 1, 2, 3, 4]);
  });

  test("does not wait for a predicate that holds already", async (condition) => {
    let yielded = false;
    spawn(() => void (yielded = true));
    assertEquals(await condition.with(() => condition.waitFor(() => true)), true);
    assertEquals(await condition.with(() => condition.waitFor(() => true, { timeout: 0 })), true);
    assertEquals(yielded, false);
  });

  test("counts the timeout of waitFor() over all its waits", async (condition) => {
    const waiter = witness(() =>
      condition.with(() => condition.waitFor(() => false, { timeout: 50 }))
    );
    for (let i = 0; i < 4; i++) {
      await sleep(20);
      await condition.with(() => condition.notifyAll());
    }
    assert(waiter.outcome, "Each notification began the timeout anew");
    assertEquals(valueOf(waiter), false);
  });

  test("gives what the predicate says when the time of waitFor() has passed", async (condition) => {
    let state = false;
    const waiter = witness(() =>
      condition.with(() => condition.waitFor(() => state, { timeout: 5 }))
    );
    await sleep(0);
    // True, but nobody says so.
    state = true;
    await waiter.task.join();
    assertEquals(valueOf(waiter), true);
  });

  test("holds no lock when the predicate throws", async (condition) => {
    await assertRejects(() =>
      condition.with(() =>
        condition.waitFor(() => {
          throw new RangeError("cannot tell");
        })
      ), RangeError);
    assert(condition.tryAcquire());
  });

  killAtEveryStep(`${name} loses no notification`, {
    // As many notifications as items; a consumer sleeps only when there is none.
    make: () => ({ condition: make(), items: 0, eaten: 0, byVictim: 0 }),
    async victim(state, wait) {
      return await state.condition.with(async () => {
        while (state.items === 0) {
          if (!await state.condition.wait(wait)) return false;
        }
        state.items--;
        state.byVictim++;
      }, wait);
    },
    others: [
      async (state) => {
        await state.condition.with(async () => {
          while (state.items === 0) await state.condition.wait();
          state.items--;
          state.eaten++;
        });
      },
      async (state, step) => {
        for (let i = 0; i < 3; i++) {
          await step();
          await state.condition.with(() => {
            state.items++;
            state.condition.notify();
          });
        }
      },
      async (state) => {
        await state.condition.with(async () => {
          while (state.items === 0) await state.condition.wait();
          state.items--;
          state.eaten++;
        });
      },
    ],
    check(state) {
      assertEquals(state.eaten, 2);
      assertEquals(state.items, 1 - state.byVictim);
      assert(state.condition.tryAcquire());
    },
  });
}

Deno.test("Condition gives away an RLock that is held several times over, and has it back so", () =>
  runLoop(async () => {
    for (const condition of [new Condition(), new Condition(new RLock())]) {
      const waiter = witness(() =>
        condition.with(() =>
          condition.with(async () => {
            await condition.wait();
            await sleep(5);
          })
        )
      );
      await sleep(0);
      assert(condition.tryAcquire(), "The lock was kept once or more");
      condition.notify();
      condition.release();
      await sleep(1);
      assertEquals(condition.tryAcquire(), false);
      await waiter.task.join();
      valueOf(waiter);
      assert(condition.tryAcquire());
      condition.release();
    }
  }));

Deno.test("Condition shares its lock with whoever else uses it", () =>
  runLoop(async () => {
    const lock = new Lock();
    const condition = new Condition(lock);
    await condition.acquire();
    assertEquals(lock.tryAcquire(), false);
    condition.release();
    assertEquals([lock.tryAcquire(), condition.tryAcquire()], [true, false]);
    condition.notify();
    lock.release();
    const empty = new Condition(lock), full = new Condition(lock);
    const waiter = witness(() => full.with(() => full.wait()));
    await sleep(0);
    await empty.with(() => full.notify());
    await waiter.task.join();
    assertEquals(valueOf(waiter), true);
  }));

Deno.test("RLock of another task does not let one wait or notify on its Condition", () =>
  runLoop(async () => {
    const condition = new Condition(new RLock());
    const holder = witness(() => condition.with(() => sleep(10)));
    await sleep(0);
    assertThrows(() => condition.notify(), RuntimeError);
    await assertRejects(() => condition.wait(), RuntimeError);
    await holder.task.join();
    valueOf(holder);
  }));

Deno.test("Condition gives an RLock back as often as it was held, to a waiter that is killed", () =>
  runLoop(async () => {
    const condition = new Condition();
    const victim = witness(() => condition.with(() => condition.with(() => condition.wait())));
    await sleep(0);
    victim.task.kill();
    await victim.task.join();
    // Each with() released it once, or this would be a RuntimeError.
    assertInstanceOf(errorOf(victim), TaskExit);
    assert(condition.tryAcquire());
  }));
