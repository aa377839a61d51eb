import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { type ExceptionContext, lib, sleep, spawn, Task } from "../../mod.ts";
import { runLoop, withLoop } from "../run_loop.ts";

const { setTimeout, setInterval, clearTimeout, clearInterval, refTimer, unrefTimer } = lib.time;
/** What the type of the platform's function does not let through. */
// deno-lint-ignore no-explicit-any
const anything = (value: unknown): any => value;

Deno.test("setTimeout() calls back on the loop's clock, with its arguments", () =>
  runLoop(async (loop) => {
    const log: unknown[] = [];
    setTimeout((...args: unknown[]) => log.push(loop.time(), ...args), 3_600_000, 1, "two");
    await sleep(3_599_999);
    assertEquals(log, []);
    await sleep(1);
    assertEquals(log, [3_600_000, 1, "two"]);
  }));

Deno.test("timers that are due at the same time call back in the order in which they were started", () =>
  runLoop(async () => {
    const log: number[] = [];
    for (const n of [1, 2, 3]) setTimeout(() => log.push(n), 5);
    await sleep(6);
    assertEquals(log, [1, 2, 3]);
  }));

Deno.test("all that comes of one timer comes before the next timer, as on the platform", () =>
  runLoop(async () => {
    const log: string[] = [];
    setTimeout(async () => {
      log.push("first");
      for (let hop = 0; hop < 30; hop++) await null;
      clearTimeout(second);
      log.push("cleared");
      setTimeout(() => log.push("nested"), 0);
    }, 1);
    const second = setTimeout(() => log.push("second"), 1);
    setTimeout(() => log.push("third"), 1);
    await sleep(10);
    assertEquals(log, ["first", "cleared", "third", "nested"]);
  }));

Deno.test("a delay that is no number of at least one millisecond is one, as the platform has it", () =>
  runLoop(async (loop) => {
    const log: unknown[] = [];
    for (const delay of [0, -1, NaN, undefined, null, "x", "3", 2.9, Infinity, 2 ** 31]) {
      setTimeout(() => log.push([delay, loop.time()]), anything(delay));
    }
    await sleep(10);
    assertEquals(log, [
      ...[0, -1, NaN, undefined, null, "x", Infinity, 2 ** 31].map((delay) => [delay, 1]),
      [2.9, 2],
      ["3", 3],
    ]);
  }));

Deno.test("setInterval() calls back until it is cleared", () =>
  runLoop(async (loop) => {
    const log: number[] = [];
    const timer = setInterval(() => {
      log.push(loop.time());
      if (log.length === 3) clearInterval(timer);
    }, 10);
    await sleep(100);
    assertEquals(log, [10, 20, 30]);
  }));

Deno.test("a timer is cleared by itself, its number, and that as a string, by either function", () =>
  runLoop(async () => {
    const log: string[] = [];
    const start = (name: string) => setTimeout(() => log.push(name), 1);
    clearTimeout(start("itself"));
    clearInterval(start("other function"));
    clearTimeout(Number(start("number")));
    clearTimeout(anything(String(Number(start("string")))));
    anything(start("close")).close();
    {
      using _ = anything(start("dispose"));
    }
    start("left");
    await sleep(5);
    assertEquals(log, ["left"]);
  }));

Deno.test("clearing what is no timer does nothing; a timer of the platform's is cleared", () =>
  runLoop(async () => {
    for (const thing of [undefined, null, "x", {}, 12345678]) clearTimeout(anything(thing));
    const platforms = globalThis.setTimeout(() => {
      throw new Error("This was to be cleared");
    }, 0);
    clearTimeout(platforms);
    await sleep(0);
  }));

Deno.test("what is no function is refused as the platform refuses it", () => {
  for (const thing of ["alert()", null, undefined, {}]) {
    const platforms = assertThrows(() => globalThis.setTimeout(anything(thing)), TypeError);
    for (const start of [setTimeout, setInterval]) {
      const ours = assertThrows(() => start(anything(thing)), TypeError);
      assertEquals(ours.message, platforms.message);
    }
  }
});

Deno.test("a timer has what the platform's has", () =>
  withLoop(() => {
    const platforms = globalThis.setTimeout(() => {}, 1);
    const ours = setTimeout(() => {}, 1);
    clearTimeout(platforms);
    const methods = (timer: unknown) =>
      Object.getOwnPropertyNames(Object.getPrototypeOf(timer)).filter((name) =>
        typeof anything(timer)[name] === "function"
      );
    for (const name of methods(platforms)) assert(methods(ours).includes(name), name);
    assertEquals(anything(ours).constructor.name, anything(platforms).constructor.name);
    assertEquals(typeof +ours, "number");
    assertStrictEquals(anything(ours).ref(), ours);
    assertStrictEquals(anything(ours).unref(), ours);
    assertStrictEquals(anything(ours).refresh(), ours);
    assertStrictEquals(anything(ours).close(), ours);
    assertEquals(setTimeout.name, "setTimeout");
    assertEquals(setTimeout.length, 2);
    return Promise.resolve();
  }));

Deno.test("a callback has its timer as this", () =>
  runLoop(async () => {
    let self: unknown;
    const timer = setTimeout(function (this: unknown) {
      self = this;
    }, 1);
    await sleep(2);
    assertStrictEquals(self, timer);
  }));

Deno.test("refresh() starts the time anew, after the call too, but not of one that was cleared", () =>
  runLoop(async (loop) => {
    const log: number[] = [];
    const timer = anything(setTimeout(() => log.push(loop.time()), 10));
    await sleep(5);
    timer.refresh();
    await sleep(20);
    timer.refresh();
    await sleep(20);
    clearTimeout(timer);
    timer.refresh();
    await sleep(20);
    assertEquals(log, [15, 35]);
  }));

Deno.test("a timer keeps run() going, one that is unreferenced or a daemon's does not", async () => {
  const log: string[] = [];
  await withLoop(async (loop) => {
    setTimeout(() => log.push("first"), 10);
    const second = setTimeout(() => log.push("second"), 20);
    anything(setTimeout(() => log.push("unref"), 30)).unref();
    unrefTimer(anything(setTimeout(() => log.push("unrefTimer"), 30)));
    unrefTimer(anything(second));
    refTimer(anything(second));
    new Task(() => void setTimeout(() => log.push("daemon's"), 30), { daemon: true }).start();
    await loop.run();
    assertEquals(loop.time(), 20);
  });
  assertEquals(log, ["first", "second"]);
});

Deno.test("an unreferenced timer calls back all the same while the loop goes on", () =>
  runLoop(async () => {
    const log: unknown[] = [];
    const timer = anything(setTimeout(() => log.push(timer.hasRef()), 1));
    assertEquals(timer.hasRef(), true);
    timer.unref();
    await sleep(5);
    assertEquals(log, [false]);
  }));

Deno.test("an error in a callback is reported, of an async one too, and an interval goes on", async () => {
  const reports: ExceptionContext[] = [];
  await runLoop(async () => {
    const timer = setInterval(() => {
      throw new Error("sync");
    }, 10);
    setTimeout(() => Promise.reject(new Error("async")), 5);
    await sleep(25);
    clearInterval(timer);
  }, { reports });
  assertEquals(reports.map(({ error }) => (error as Error).message), ["async", "sync", "sync"]);
});

Deno.test("a callback of a task that has ended is called, and may wait", () =>
  runLoop(async () => {
    const log: string[] = [];
    await spawn(() => {
      setTimeout(async () => {
        log.push("called");
        await sleep(5);
        log.push("waited");
      }, 10);
    }).join();
    await sleep(20);
    assertEquals(log, ["called", "waited"]);
  }));

Deno.test("a callback that waits in the name of a task ends with it, and is not reported", () =>
  runLoop(async () => {
    const log: string[] = [];
    const body = () => {
      setTimeout(async () => {
        try {
          await sleep(1_000);
          log.push("went on");
        } finally {
          log.push("left");
        }
      }, 1);
      return sleep(5);
    };
    await spawn(body).join();
    const killed = spawn(body);
    await sleep(2);
    killed.kill();
    await killed.join();
    await sleep(2_000);
    assertEquals(log, ["left", "left"]);
  }));
