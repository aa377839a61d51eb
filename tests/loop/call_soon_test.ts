import { assertEquals, assertInstanceOf, assertStrictEquals, assertThrows } from "@std/assert";
import { current, type ExceptionContext, sleep, spawn } from "../../mod.ts";
import { runLoop, withLoop } from "../run_loop.ts";

Deno.test("callSoon() calls in order, with the arguments given", () =>
  withLoop(async (loop) => {
    const calls: unknown[][] = [];
    loop.callSoon((...args: unknown[]) => void calls.push(args));
    loop.callSoon((a: number, b: string) => void calls.push([a, b]), 1, "two");
    loop.callSoon(() => void calls.push(["third"]));
    await loop.run();
    assertEquals(calls, [[], [1, "two"], ["third"]]);
  }));

Deno.test("callSoon() never calls before it returns", () =>
  runLoop(async (loop) => {
    let called = false;
    loop.callSoon(() => void (called = true));
    assertEquals(called, false);
    await sleep(0);
    assertEquals(called, true);
  }));

Deno.test("callSoon() from a callback is called after what is there already", () =>
  withLoop(async (loop) => {
    const log: string[] = [];
    loop.callSoon(() => {
      log.push("a");
      loop.callSoon(() => void log.push("from a"));
    });
    loop.callSoon(() => void log.push("b"));
    await loop.run();
    assertEquals(log, ["a", "b", "from a"]);
  }));

Deno.test("callSoon() and spawn() share one order", () =>
  withLoop(async (loop) => {
    const log: number[] = [];
    loop.callSoon(() => void log.push(1));
    spawn(() => void log.push(2));
    loop.callSoon(() => void log.push(3));
    spawn(() => void log.push(4));
    await loop.run();
    assertEquals(log, [1, 2, 3, 4]);
  }));

Deno.test("callSoon() that was cancelled is not called", () =>
  withLoop(async (loop) => {
    const log: string[] = [];
    const handler = loop.callSoon(() => void log.push("cancelled"));
    assertEquals(handler.cancelled, false);
    handler.cancel();
    handler.cancel();
    assertEquals(handler.cancelled, true);
    {
      using _handler = loop.callSoon(() => void log.push("disposed of"));
    }
    loop.callSoon(() => other.cancel());
    const other = loop.callSoon(() => void log.push("cancelled by the one before"));
    await loop.run();
    assertEquals(log, []);
  }));

Deno.test("a Handler that was called is not cancelled, and may still be", () =>
  withLoop(async (loop) => {
    const handler = loop.callSoon(() => {});
    await loop.run();
    assertEquals(handler.cancelled, false);
    handler.cancel();
  }));

Deno.test("callSoon() and its like refuse a Handler or anything else that is no function", () =>
  withLoop((loop) => {
    const handler = loop.callSoon(() => {});
    for (const wrong of [handler, undefined, null, "text", {}] as unknown as (() => void)[]) {
      assertThrows(() => loop.callSoon(wrong), TypeError);
      assertThrows(() => loop.callFromThread(wrong), TypeError);
      assertThrows(() => loop.callLater(1, wrong), TypeError);
      assertThrows(() => loop.callAt(1, wrong), TypeError);
      assertThrows(() => loop.addSignalHandler("SIGUSR2", wrong), TypeError);
    }
  }));

Deno.test("callSoon() that throws is reported with its handler, and the next is called", () => {
  const reports: ExceptionContext[] = [];
  return withLoop(async (loop) => {
    const thrown = new RangeError("from a callback");
    let called = false;
    const handler = loop.callSoon(() => {
      throw thrown;
    });
    loop.callSoon(() => void (called = true));
    await loop.run();
    assertEquals(called, true);
    assertEquals(reports.length, 1);
    assertStrictEquals(reports[0].error, thrown);
    assertStrictEquals(reports[0].handler, handler);
    assertEquals([reports[0].task, typeof reports[0].message], [undefined, "string"]);
  }, { reports });
});

Deno.test("callSoon() with an async function that rejects is reported, too", () => {
  const reports: ExceptionContext[] = [];
  return withLoop(async (loop) => {
    loop.callSoon(async () => {
      await Promise.resolve();
      throw new RangeError("from an async callback");
    });
    spawn(() => sleep(10));
    await loop.run();
    assertEquals(reports.length, 1);
    assertInstanceOf(reports[0].error, RangeError);
  }, { reports });
});

Deno.test("callFromThread() calls from outside the loop while it waits", () =>
  withLoop(async (loop) => {
    const log: unknown[] = [];
    spawn(() =>
      loop.switch<void>((waker) => {
        setTimeout(() => {
          const handler = loop.callFromThread(
            (...args: unknown[]) => {
              log.push(...args);
              waker.wake();
            },
            1,
            2,
          );
          assertEquals(handler.cancelled, false);
        }, 1);
      })
    );
    await loop.run();
    assertEquals(log, [1, 2]);
  }, { clock: undefined }));

Deno.test("callFromThread() keeps the order of callSoon(), and can be cancelled", () =>
  withLoop(async (loop) => {
    const log: number[] = [];
    loop.callSoon(() => void log.push(1));
    loop.callFromThread((n: number) => void log.push(n), 2);
    loop.callFromThread(() => void log.push(0)).cancel();
    loop.callSoon(() => void log.push(3));
    await loop.run();
    assertEquals(log, [1, 2, 3]);
  }));

Deno.test("a callback runs outside every task", () =>
  runLoop(async (loop) => {
    const mine = current.task;
    let seen: unknown;
    loop.callSoon(() => void (seen = current.task));
    await sleep(0);
    assertEquals(seen === mine, false);
  }));

Deno.test("callbacks and tasks that always have more to do starve neither timers nor I/O", () =>
  withLoop(async (loop) => {
    let done = false;
    const again = () => void (done || loop.callSoon(again));
    again();
    spawn(async () => {
      while (!done) await sleep(0);
    });
    spawn(async () => {
      await sleep(5);
      await loop.cooperate(Deno.stat(new URL(import.meta.url)));
      await loop.cooperate(new Promise((resolve) => setTimeout(resolve, 1)));
      done = true;
    });
    await loop.run();
    assertEquals(done, true);
  }, { clock: undefined }));
