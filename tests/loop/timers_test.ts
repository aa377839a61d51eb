import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { current, type Handler, sleep, spawn, VirtualClock } from "../../mod.ts";
import { dropLoop, runLoop, withLoop } from "../run_loop.ts";

Deno.test("callLater() calls after that many milliseconds, with the arguments given", () =>
  withLoop(async (loop) => {
    const start = loop.time();
    const calls: unknown[] = [];
    loop.callLater(
      100,
      (...args: unknown[]) => void calls.push(loop.time() - start, ...args),
      1,
      2,
    );
    await loop.run();
    assertEquals(calls, [100, 1, 2]);
  }));

Deno.test("callLater() calls what is due earlier first, and in order what is due together", () =>
  withLoop(async (loop) => {
    const log: string[] = [];
    const at = (delay: number, name: string) =>
      void loop.callLater(delay, () => void log.push(`${name}${delay}`));
    for (const [delay, name] of [[30, "a"], [10, "a"], [20, "a"], [10, "b"], [30, "b"]] as const) {
      at(delay, name);
    }
    for (let i = 0; i < 20; i++) at(40, String.fromCharCode(97 + i));
    await loop.run();
    const last = Array.from({ length: 20 }, (_, i) => `${String.fromCharCode(97 + i)}40`);
    assertEquals(log, ["a10", "b10", "a20", "a30", "b30", ...last]);
  }));

Deno.test("callAt() calls when the loop's clock shows that time", () =>
  withLoop(async (loop) => {
    const start = loop.time();
    const log: number[] = [];
    loop.callAt(start + 20, () => void log.push(20));
    loop.callAt(start + 10, (n: number) => void log.push(n), 10);
    await loop.run();
    assertEquals([log, loop.time() - start], [[10, 20], 20]);
  }));

Deno.test("callLater() of zero or less and callAt() in the past are callSoon()", () =>
  withLoop(async (loop) => {
    const log: string[] = [];
    const start = loop.time();
    loop.callSoon(() => void log.push("soon 1"));
    loop.callLater(0, () => void log.push("later 0"));
    loop.callSoon(() => void log.push("soon 2"));
    loop.callLater(-5, () => void log.push("later -5"));
    loop.callAt(start - 1000, () => void log.push("at past"));
    loop.callLater(-Infinity, () => void log.push("later -Infinity"));
    loop.callSoon(() => void log.push("soon 3"));
    await loop.run();
    assertEquals(log, [
      "soon 1",
      "later 0",
      "soon 2",
      "later -5",
      "at past",
      "later -Infinity",
      "soon 3",
    ]);
    assertEquals(loop.time(), start);
  }));

Deno.test("sleep() of zero or less only yields, in the order of everything that is ready", () =>
  runLoop(async (loop) => {
    const log: string[] = [];
    const start = loop.time();
    const tasks = [undefined, 0, -5].map((delay) =>
      spawn(async () => {
        log.push(`before ${delay}`);
        await sleep(delay);
        log.push(`after ${delay}`);
      })
    );
    for (const task of tasks) await task.join();
    assertEquals(log, [
      "before undefined",
      "before 0",
      "before -5",
      "after undefined",
      "after 0",
      "after -5",
    ]);
    assertEquals(loop.time(), start);
  }));

Deno.test("NaN is no delay", () =>
  runLoop(async (loop) => {
    assertThrows(() => loop.callLater(NaN, () => {}), RangeError);
    assertThrows(() => loop.callAt(NaN, () => {}), RangeError);
    await assertRejects(() => sleep(NaN), RangeError);
  }));

Deno.test("text is no delay", () =>
  runLoop(async (loop) => {
    const text = "5" as unknown as number;
    assertThrows(() => loop.callLater(text, () => {}), TypeError);
    assertThrows(() => loop.callAt(text, () => {}), TypeError);
    await assertRejects(() => sleep(text), TypeError);
  }));

Deno.test("callLater() that was cancelled is not called, and does not hold up run()", () =>
  withLoop(async (loop) => {
    let called = false;
    const start = loop.time();
    const handler = loop.callLater(1e6, () => void (called = true));
    {
      using _handler = loop.callLater(1e6, () => void (called = true));
    }
    handler.cancel();
    await loop.run();
    assertEquals([called, handler.cancelled, loop.time()], [false, true, start]);
  }));

Deno.test("callLater() can be cancelled by another that is due at the same time", () =>
  withLoop(async (loop) => {
    let called = false;
    loop.callLater(10, () => second.cancel());
    const second = loop.callLater(10, () => void (called = true));
    await loop.run();
    assertEquals(called, false);
  }));

Deno.test("callLater() can be called again and again by its own callback", () =>
  withLoop(async (loop) => {
    const start = loop.time();
    const times: number[] = [];
    const tick = () => {
      times.push(loop.time() - start);
      if (times.length < 3) loop.callLater(10, tick);
    };
    loop.callLater(10, tick);
    await loop.run();
    assertEquals(times, [10, 20, 30]);
  }));

Deno.test("timers keep their order through many that are set and cancelled", () =>
  withLoop(async (loop) => {
    let x = 42;
    const random = (n: number) => (x = (x * 1103515245 + 12345) % 2 ** 31) % n;
    const expected: [number, number][] = [];
    const called: number[] = [];
    const handlers: [number, number, Handler][] = [];
    for (let i = 0; i < 2000; i++) {
      const delay = random(500) + 1;
      handlers.push([delay, i, loop.callLater(delay, () => void called.push(i))]);
    }
    for (const [delay, i, handler] of handlers) {
      if (random(10) < 7) handler.cancel();
      else expected.push([delay, i]);
    }
    await loop.run();
    expected.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    assertEquals(called, expected.map(([, i]) => i));
  }));

Deno.test("VirtualClock jumps to the next timer as soon as every task waits", () =>
  withLoop(async (loop) => {
    const start = loop.time();
    const log: [string, number][] = [];
    spawn(async () => {
      await sleep(24 * 3600 * 1000);
      log.push(["day", loop.time() - start]);
    });
    spawn(async () => {
      for (let i = 0; i < 3; i++) await sleep(1000);
      log.push(["seconds", loop.time() - start]);
    });
    await loop.run();
    assertEquals(log, [["seconds", 3000], ["day", 86_400_000]]);
  }));

Deno.test("VirtualClock stands still while any task has something to do", () =>
  runLoop(async (loop) => {
    const start = loop.time();
    let fired = false;
    loop.callLater(1, () => void (fired = true));
    for (let i = 0; i < 5000; i++) await sleep(0);
    assertEquals([fired, loop.time()], [false, start]);
    await sleep(1);
    assertEquals(fired, true);
  }));

Deno.test("VirtualClock stands still while a task awaits a foreign promise", () =>
  runLoop(async (loop) => {
    const start = loop.time();
    let fired = false;
    loop.callLater(1, () => void (fired = true));
    await new Promise((resolve) => setTimeout(resolve, 5));
    assertEquals([fired, loop.time()], [false, start]);
    await loop.cooperate(new Promise((resolve) => setTimeout(resolve, 5)));
    assertEquals([fired, loop.time()], [false, start]);
    await loop.cooperate(Deno.stat(new URL(import.meta.url)));
    assertEquals([fired, loop.time()], [false, start]);
    await sleep(1);
    assertEquals(fired, true);
  }));

Deno.test("VirtualClock stands still when tasks are woken shortly after a callback, in another microtask", () =>
  runLoop(async (loop) => {
    const times: number[] = [];
    const wakenLate = () =>
      loop.switch((waker) => {
        loop.callLater(100, async () => {
          for (let hops = 0; hops < 20; hops++) await null;
          waker.wake();
        });
      });
    spawn(async () => {
      await wakenLate();
      times.push(loop.time());
      await new Promise((resolve) => setImmediate(resolve));
      times.push(loop.time());
    });
    spawn(async () => {
      await wakenLate();
      times.push(loop.time());
    });
    await sleep(150);
    assertEquals(times, [100, 100, 100]);
  }));

Deno.test("VirtualClock makes a year pass in no time", () =>
  withLoop(async (loop) => {
    const real = performance.now(), start = loop.time();
    spawn(async () => {
      for (let day = 0; day < 365; day++) await sleep(86_400_000);
    });
    await loop.run();
    assertEquals(loop.time() - start, 365 * 86_400_000);
    assert(performance.now() - real < 86_400_000);
  }));

Deno.test("VirtualClock of one loop does not move that of the next", async () => {
  const starts: number[] = [];
  for (let i = 0; i < 2; i++) {
    await withLoop(async (loop) => {
      starts.push(loop.time());
      spawn(() => sleep(1000));
      await loop.run();
    }, { clock: new VirtualClock() });
  }
  assertEquals(starts[0], starts[1]);
});

Deno.test("timers fire in order with the real clock, never early", () =>
  withLoop(async (loop) => {
    const log: number[] = [];
    const start = loop.time();
    for (const delay of [12, 3, 7]) {
      loop.callLater(delay, () => {
        assert(loop.time() - start >= delay - 0.001, "A timer was early");
        log.push(delay);
      });
    }
    await loop.run();
    assertEquals(log, [3, 7, 12]);
  }, { clock: undefined }));

Deno.test("a delay longer than the platform's timers can count is no short one", () =>
  withLoop(async (loop) => {
    let fired = false;
    loop.callLater(2 ** 31, () => void (fired = true));
    loop.callLater(2 ** 40, () => void (fired = true));
    loop.callLater(10, () => loop.stop());
    await loop.run();
    assertEquals(fired, false);
  }, { clock: undefined }));

Deno.test("sleep() can be aborted, before and while it lasts", () =>
  runLoop(async (loop) => {
    const start = loop.time();
    for (const delay of [0, 10]) {
      await assertRejects(
        () => sleep(delay, { signal: AbortSignal.abort(new RangeError("enough")) }),
        RangeError,
        "enough",
      );
    }
    assertEquals(loop.time(), start);
    const controller = new AbortController();
    loop.callLater(5, () => controller.abort(new RangeError("enough")));
    await assertRejects(() => sleep(1e6, { signal: controller.signal }), RangeError, "enough");
    assertEquals(loop.time() - start, 5);
  }));

Deno.test("sleep() outside every task starts the loop by itself, time after time", async () => {
  dropLoop();
  try {
    const start = current.loop.time();
    await sleep(2);
    await sleep(0);
    await Promise.all([sleep(3), sleep(1)]);
    assert(current.loop.time() - start >= 4.9);
  } finally {
    dropLoop();
  }
});
