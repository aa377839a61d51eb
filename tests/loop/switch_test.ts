import { assertEquals, assertInstanceOf, assertRejects, assertStrictEquals } from "@std/assert";
import { current, DeadlockError, sleep, spawn, TaskExit, type Waker } from "../../mod.ts";
import { dropLoop, errorOf, outcomeOf, runLoop, valueOf, withLoop, witness } from "../run_loop.ts";

Deno.test("switch() gives what its waker is woken with", () =>
  runLoop(async (loop) => {
    let waker!: Waker<string>;
    const waiter = witness(() => loop.switch<string>((given) => void (waker = given)));
    await sleep(10);
    assertEquals([waiter.outcome, waiter.task.state, waker.done], [undefined, "waiting", false]);
    waker.wake("value");
    assertEquals([waiter.outcome, waker.done], [undefined, true]);
    await waiter.task.join();
    assertEquals(valueOf(waiter), "value");
  }));

Deno.test("switch() throws what its waker throws, be it an error or not", () =>
  runLoop(async (loop) => {
    for (const error of [new RangeError("thrown"), undefined, "text"]) {
      let waker!: Waker<void>;
      const waiter = witness(() => loop.switch((given) => void (waker = given)));
      await sleep(0);
      waker.throw(error);
      await waiter.task.join();
      assertStrictEquals(errorOf(waiter), error);
    }
  }));

Deno.test("switch() is woken once: what its waker is told later is ignored", () =>
  runLoop(async (loop) => {
    let waker!: Waker<number>;
    const waiter = witness(async () => [
      await loop.switch<number>((given) => void (waker = given)),
      await outcomeOf(() => sleep(5)),
    ]);
    await sleep(0);
    waker.wake(1);
    waker.wake(2);
    waker.throw(new Error("too late"));
    await sleep(1);
    waker.throw(new Error("too late"));
    await waiter.task.join();
    assertEquals(valueOf(waiter), [1, { value: undefined }]);
  }));

Deno.test("switch() whose arm wakes at once gives the value", () =>
  runLoop(async (loop) => {
    assertEquals(await loop.switch<number>((waker) => waker.wake(1)), 1);
    await assertRejects(() => loop.switch((waker) => waker.throw(new RangeError("x"))), RangeError);
  }));

Deno.test("switch() whose arm throws throws that", () =>
  runLoop(async (loop) => {
    const error = new RangeError("cannot arm");
    const outcome = await outcomeOf(() =>
      loop.switch(() => {
        throw error;
      })
    );
    assertStrictEquals("error" in outcome && outcome.error, error);
    await sleep(0);
  }));

Deno.test("switch() calls what arm returned if the wait ends any other way, once", () =>
  runLoop(async (loop) => {
    let undone = 0, waker!: Waker<void>;
    const arm = (given: Waker<void>) => {
      waker = given;
      return () => void undone++;
    };
    const woken = witness(() => loop.switch(arm));
    await sleep(0);
    waker.wake();
    await woken.task.join();
    assertEquals(undone, 0);
    const killed = witness(() => loop.switch(arm));
    await sleep(0);
    killed.task.kill();
    assertEquals([undone, waker.done], [1, true]);
    killed.task.kill();
    await killed.task.join();
    waker.wake();
    assertEquals(undone, 1);
    assertInstanceOf(errorOf(killed), TaskExit);
  }));

Deno.test("switch() that is woken and then killed gives its value; the kill comes next", () =>
  runLoop(async (loop) => {
    let undone = 0, waker!: Waker<string>;
    const victim = witness(async () => {
      const first = await loop.switch<string>((given) => {
        waker = given;
        return () => void undone++;
      });
      return [first, await outcomeOf(() => sleep(0))] as const;
    });
    await sleep(0);
    waker.wake("value");
    victim.task.kill();
    await victim.task.join();
    const [first, second] = valueOf(victim);
    assertEquals([first, undone], ["value", 0]);
    assertInstanceOf("error" in second && second.error, TaskExit);
  }));

Deno.test("switch() without arm waits until the task is killed", () =>
  runLoop(async (loop) => {
    const waiter = witness(() => loop.switch());
    await sleep(1e6);
    assertEquals(waiter.outcome, undefined);
    waiter.task.kill(new RangeError("killed"));
    await waiter.task.join();
    assertInstanceOf(errorOf(waiter), RangeError);
  }));

Deno.test("switch() can be woken from anywhere", () =>
  runLoop(async (loop) => {
    const value = await loop.switch<string>((waker) => {
      setTimeout(() => waker.wake("from a timer of the platform"), 1);
    });
    assertEquals(value, "from a timer of the platform");
    const later = await loop.switch<string>((waker) => {
      const handler = loop.callLater(1, () => waker.wake("from a timer of the loop"));
      return () => handler.cancel();
    });
    assertEquals(later, "from a timer of the loop");
  }));

Deno.test("switch() with arm is never taken for a deadlock, without arm it is", async () => {
  await withLoop(async (loop) => {
    spawn(() => loop.switch<void>((waker) => void setTimeout(() => waker.wake(), 20)));
    await loop.run();
  });
  await withLoop(async (loop) => {
    spawn(() => loop.switch());
    await assertRejects(() => loop.run(), DeadlockError);
  });
});

Deno.test("switch() wakes its task in the order of the wakers", () =>
  runLoop(async (loop) => {
    const wakers: Waker<void>[] = [];
    const order: number[] = [];
    const tasks = [0, 1, 2].map((i) =>
      spawn(async () => {
        await loop.switch((waker) => void wakers.push(waker));
        order.push(i);
      })
    );
    await sleep(0);
    for (const i of [2, 0, 1]) wakers[i].wake();
    for (const task of tasks) await task.join();
    assertEquals(order, [2, 0, 1]);
  }));

Deno.test("switch() can wait in several places of a task at once; a kill reaches all", () =>
  runLoop(async (loop) => {
    let undone = 0;
    const victim = witness(() =>
      Promise.allSettled([1, 2, 3].map(() => loop.switch<void>(() => () => void undone++)))
    );
    await sleep(0);
    victim.task.kill();
    await victim.task.join();
    assertEquals(undone, 3);
    assertEquals(valueOf(victim).map((one) => one.status), ["rejected", "rejected", "rejected"]);
  }));

Deno.test("a wait that a task leaves behind when it ends is undone, silently", () =>
  runLoop(async (loop) => {
    let undone = 0;
    const racer = witness(() =>
      Promise.race([
        loop.switch<string>(() => () => void undone++),
        sleep(1).then(() => "winner"),
      ])
    );
    await racer.task.join();
    assertEquals(valueOf(racer), "winner");
    await sleep(1);
    assertEquals(undone, 1);
  }));

Deno.test("switch() outside every task waits, too", async () => {
  dropLoop();
  try {
    const value = await current.loop.switch<number>((waker) => {
      setTimeout(() => waker.wake(5), 1);
    });
    assertEquals(value, 5);
  } finally {
    dropLoop();
  }
});
