import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { Event, RuntimeError, sleep, spawn, TaskExit, Timeout } from "../../mod.ts";
import { dropLoop, errorOf, outcomeOf, runLoop, valueOf, withLoop, witness } from "../run_loop.ts";

class Custom extends Error {}

Deno.test("Timeout throws itself into the task that started it", () =>
  runLoop(async (loop) => {
    const start = loop.time();
    const timeout = new Timeout(10).start();
    const outcome = await outcomeOf(() => sleep(1e6));
    assertStrictEquals("error" in outcome && outcome.error, timeout);
    assertEquals([loop.time() - start, timeout.pending], [10, false]);
    assert(timeout instanceof Error);
    assertEquals([timeout.name, timeout.delay], ["Timeout", 10]);
  }));

Deno.test("Timeout covers the rest of the block it is declared in, and no more", () =>
  runLoop(async () => {
    const inner = await outcomeOf(async () => {
      using _timeout = new Timeout(10).start();
      await sleep(5);
      await sleep(1e6);
    });
    assertInstanceOf("error" in inner && inner.error, Timeout);
    {
      using _timeout = new Timeout(10).start();
      await sleep(5);
    }
    await sleep(100);
  }));

Deno.test("Timeout.run() covers what it calls, and gives its value", () =>
  runLoop(async (loop) => {
    const timeout = new Timeout(10);
    assertEquals(await timeout.run(() => sleep(5).then(() => "value")), "value");
    assertEquals(
      await new Timeout(10).run(() => "not async"),
      "value".replace("value", "not async"),
    );
    await sleep(100);
    const late = new Timeout(10);
    const error = await assertRejects(() => late.run(() => sleep(1e6)));
    assertStrictEquals(error, late);
    const own = new Custom("own");
    const failing = await assertRejects(() => new Timeout(10).run(() => Promise.reject(own)));
    assertStrictEquals(failing, own);
    const sync = await assertRejects(() =>
      new Timeout(10).run(() => {
        throw own;
      })
    );
    assertStrictEquals(sync, own);
    const start = loop.time();
    await sleep(50);
    assertEquals(loop.time() - start, 50);
  }));

Deno.test("Timeout of null, undefined or less than zero never fires", () =>
  runLoop(async () => {
    for (const delay of [null, undefined, -1, -Infinity]) {
      using _timeout = new Timeout(delay).start();
      await sleep(1e6);
      assertEquals(await new Timeout(delay).run(() => sleep(1e6).then(() => 1)), 1);
    }
    assertEquals([new Timeout(null).delay, new Timeout().delay, new Timeout(5).delay], [
      null,
      null,
      5,
    ]);
  }));

Deno.test("Timeout of zero fires at the next blocking call", () =>
  runLoop(async () => {
    await assertRejects(() => new Timeout(0).run(() => sleep(1e6)), Timeout);
    await assertRejects(() => new Timeout(0).run(() => new Event().wait()), Timeout);
    assertEquals(await new Timeout(0).run(async () => await Promise.resolve(1)), 1);
    await sleep(1);
  }));

Deno.test("Timeout refuses NaN and text", () =>
  runLoop(() => {
    assertThrows(() => new Timeout(NaN).start(), RangeError);
    assertThrows(() => new Timeout("5" as unknown as number).start(), TypeError);
  }));

Deno.test("Timeout throws another error in its place, given or made", () =>
  runLoop(async () => {
    const given = new Custom("given");
    for (const exception of [given, Custom]) {
      const timeout = new Timeout(10, exception);
      const error = await assertRejects(() => timeout.run(() => sleep(1e6)), Custom);
      if (exception === given) assertStrictEquals(error, given);
      using _block = new Timeout(10, exception).start();
      await assertRejects(() => sleep(1e6), Custom);
    }
  }));

Deno.test("Timeout.run() with exception false gives undefined in place of throwing", () =>
  runLoop(async () => {
    assertEquals(await new Timeout(10, false).run(() => sleep(1e6).then(() => 1)), undefined);
    assertEquals(await new Timeout(10, false).run(() => sleep(1).then(() => 1)), 1);
    const own = new Custom("own");
    const error = await assertRejects(() => new Timeout(10, false).run(() => Promise.reject(own)));
    assertStrictEquals(error, own);
  }));

Deno.test("Timeout is pending from start() until it fires or is cancelled", () =>
  runLoop(async () => {
    const timeout = new Timeout(10);
    assertEquals(timeout.pending, false);
    assertStrictEquals(timeout.start(), timeout);
    assertEquals(timeout.pending, true);
    timeout.cancel();
    timeout.cancel();
    assertEquals(timeout.pending, false);
    await sleep(100);
    timeout.start();
    await assertRejects(() => sleep(100), Timeout);
    assertEquals(timeout.pending, false);
  }));

Deno.test("Timeout.start() twice is a RuntimeError, and after cancel() it is not", () =>
  runLoop(async () => {
    const timeout = new Timeout(10).start();
    assertThrows(() => timeout.start(), RuntimeError);
    await assertRejects(() => timeout.run(() => {}), RuntimeError);
    assertEquals(timeout.pending, true);
    timeout.cancel();
    timeout.start();
    assertThrows(() => timeout.start(), RuntimeError);
    timeout.cancel();
    await sleep(20);
  }));

Deno.test("Timeout can be run again after it was run", () =>
  runLoop(async () => {
    const timeout = new Timeout(10);
    assertEquals(await timeout.run(() => sleep(5).then(() => 1)), 1);
    assertEquals(await timeout.run(() => sleep(5).then(() => 2)), 2);
  }));

Deno.test("nested Timeouts are not mistaken for one another", () =>
  runLoop(async () => {
    for (const [outerDelay, innerDelay] of [[10, 20], [20, 10], [10, 10]]) {
      const outer = new Timeout(outerDelay), inner = new Timeout(innerDelay);
      const log: string[] = [];
      const outcome = await outcomeOf(() =>
        outer.run(async () => {
          try {
            await inner.run(() => sleep(1e6));
          } catch (error) {
            log.push(error === inner ? "inner" : error === outer ? "outer" : String(error));
            throw error;
          }
        })
      );
      const first = innerDelay < outerDelay ? inner : outer;
      assertStrictEquals("error" in outcome && outcome.error, first);
      assertEquals(log, [first === inner ? "inner" : "outer"]);
      assertEquals([outer.pending, inner.pending], [false, false]);
      await sleep(100);
    }
  }));

Deno.test("an inner Timeout with exception false lets the outer one through", () =>
  runLoop(async () => {
    const outer = new Timeout(10);
    let after = false;
    const error = await assertRejects(() =>
      outer.run(async () => {
        await new Timeout(20, false).run(() => sleep(1e6));
        after = true;
      })
    );
    assertStrictEquals(error, outer);
    assertEquals(after, false);
    const value = await new Timeout(20).run(async () => {
      assertEquals(await new Timeout(10, false).run(() => sleep(1e6)), undefined);
      return "outer goes on";
    });
    assertEquals(value, "outer goes on");
  }));

Deno.test("an outer Timeout with exception false does not swallow the inner one", () =>
  runLoop(async () => {
    const inner = new Timeout(10);
    const error = await assertRejects(() =>
      new Timeout(20, false).run(() => inner.run(() => sleep(1e6)))
    );
    assertStrictEquals(error, inner);
  }));

Deno.test("Timeout that fires while its task was woken already is forgotten when cancelled", () =>
  runLoop(async () => {
    const event = new Event();
    const waiter = witness(async () => {
      {
        using _timeout = new Timeout(5).start();
        assertEquals(await event.wait(), true);
      }
      await sleep(1);
      return "unharmed";
    });
    await sleep(0);
    event.set();
    // Its time passes before the waiter, woken in time, can run.
    for (const until = performance.now() + 30; performance.now() < until;);
    await waiter.task.join();
    assertEquals(valueOf(waiter), "unharmed");
  }, { clock: undefined }));

Deno.test("Timeout that fires while its task does not wait comes at the next blocking call", () =>
  runLoop(async () => {
    const timeout = new Timeout(1).start();
    const { promise, resolve } = Promise.withResolvers<void>();
    setTimeout(resolve, 20);
    await promise;
    const outcome = await outcomeOf(() => sleep(0));
    assertStrictEquals("error" in outcome && outcome.error, timeout);
  }, { clock: undefined }));

Deno.test("Timeout concerns the task that started it only", () =>
  runLoop(async () => {
    const other = witness(() => sleep(100).then(() => "other"));
    const mine = witness(async () => {
      using _timeout = new Timeout(10).start();
      spawn(() => sleep(50));
      await other.task.join();
    });
    await other.task.join();
    assertEquals(valueOf(other), "other");
    assertInstanceOf(errorOf(mine), Timeout);
  }));

Deno.test("Timeout leaves no timer behind when its body ends early, or its task is killed", () =>
  withLoop(async (loop) => {
    const start = loop.time();
    spawn(() => new Timeout(1e6).run(() => sleep(5)));
    spawn(() => outcomeOf(() => new Timeout(1e6).run(() => Promise.reject(new Error("x")))));
    const victim = witness(() => new Timeout(1e6).run(() => sleep(1e7)));
    loop.callLater(5, () => victim.task.kill());
    await loop.run();
    assertInstanceOf(errorOf(victim), TaskExit);
    assertEquals(loop.time() - start, 5);
  }));

Deno.test("Timeout that nobody catches is reported like any error", async () => {
  const reports: { error: unknown }[] = [];
  await runLoop(async () => {
    await spawn(async () => {
      new Timeout(10).start();
      await sleep(100);
    }).join();
  }, { reports: reports as never });
  assertEquals(reports.length, 1);
  assertInstanceOf(reports[0].error, Timeout);
});

Deno.test("Timeout works outside every task", async () => {
  dropLoop();
  try {
    await assertRejects(() => new Timeout(2).run(() => sleep(1e6)), Timeout);
    {
      using _timeout = new Timeout(1e6).start();
      await sleep(1);
    }
  } finally {
    dropLoop();
  }
});

Deno.test("a Timeout can be copied property by property, its prototype's too, as libraries do that wrap errors", () => {
  const copy: Record<string, unknown> = {};
  for (
    let source: object | null = new Timeout(5);
    source !== null && source !== Error.prototype;
    source = Object.getPrototypeOf(source)
  ) {
    for (const name of Object.getOwnPropertyNames(source)) {
      copy[name] ??= (source as Record<string, unknown>)[name];
    }
  }
  assertEquals([copy.delay, copy.pending, copy.name], [5, false, "Timeout"]);
});
