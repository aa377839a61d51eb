import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { current, EventLoop, Lock, RuntimeError, sleep, spawn, Task } from "../../mod.ts";
import { dropLoop, outcomeOf, runLoop, withLoop } from "../run_loop.ts";

Deno.test("EventLoop.current() makes the loop of the main thread on demand", () => {
  const loop = EventLoop.current();
  assertInstanceOf(loop, EventLoop);
  assertStrictEquals(EventLoop.current(), loop);
  assertStrictEquals(current.loop, loop);
  loop.destroy();
  const next = EventLoop.current();
  assert(next !== loop);
  next.destroy();
});

Deno.test("EventLoop made by hand is the current one, and the only one of its thread", () => {
  dropLoop();
  const loop = new EventLoop();
  assertStrictEquals(current.loop, loop);
  assertStrictEquals(EventLoop.current(), loop);
  assertThrows(() => new EventLoop(), RuntimeError);
  assertStrictEquals(current.loop, loop);
  loop.destroy();
  new EventLoop().destroy();
});

Deno.test("EventLoop made on demand stands in the way of another one, too", () => {
  const loop = EventLoop.current();
  assertThrows(() => new EventLoop(), RuntimeError);
  loop.destroy();
});

Deno.test("EventLoop.destroy() twice is a RuntimeError", () => {
  dropLoop();
  const loop = new EventLoop();
  loop.destroy();
  assertThrows(() => loop.destroy(), RuntimeError);
});

Deno.test("EventLoop.destroy() drops the tasks that are left", async () => {
  dropLoop();
  const loop = new EventLoop();
  let ran = false;
  spawn(() => void (ran = true));
  loop.callSoon(() => void (ran = true));
  loop.destroy();
  await withLoop((loop) => loop.run());
  assertEquals(ran, false);
});

Deno.test("EventLoop that was destroyed cannot be run", async () => {
  dropLoop();
  const loop = new EventLoop();
  loop.destroy();
  await assertRejects(() => loop.run(), RuntimeError);
  await assertRejects(() => loop.runForever(), RuntimeError);
});

Deno.test("EventLoop.run() of an idle loop ends at once", () =>
  withLoop(async (loop) => {
    assertEquals(loop.running, false);
    await loop.run();
    assertEquals(loop.running, false);
  }));

Deno.test("EventLoop.run() ends when no task, callback or timer is left", () =>
  withLoop(async (loop) => {
    const log: string[] = [];
    spawn(async () => {
      await sleep(20);
      log.push("task");
      loop.callLater(10, () => {
        log.push("timer");
        loop.callSoon(() => void log.push("callback"));
      });
    });
    await loop.run();
    assertEquals(log, ["task", "timer", "callback"]);
  }));

Deno.test("EventLoop is running only while run() is", () =>
  withLoop(async (loop) => {
    const seen: boolean[] = [];
    loop.callSoon(() => void seen.push(loop.running));
    spawn(async () => {
      await sleep(1);
      seen.push(loop.running);
    });
    const running = loop.run();
    seen.push(loop.running);
    await running;
    assertEquals([...seen, loop.running], [true, true, true, false]);
  }));

Deno.test("EventLoop.run() while running, or from inside a task, is a RuntimeError", () =>
  withLoop(async (loop) => {
    let inner: unknown, forever: unknown;
    spawn(async () => {
      inner = await outcomeOf(() => loop.run());
      forever = await outcomeOf(() => loop.runForever());
    });
    const running = loop.run();
    await assertRejects(() => loop.run(), RuntimeError);
    await assertRejects(() => loop.runForever(), RuntimeError);
    await running;
    for (const outcome of [inner, forever]) {
      assertInstanceOf((outcome as { error: unknown }).error, RuntimeError);
    }
  }));

Deno.test("EventLoop.run() cannot be called again after it ended", () =>
  withLoop(async (loop) => {
    await loop.run();
    await assertRejects(() => loop.run(), RuntimeError);
    await assertRejects(() => loop.runForever(), RuntimeError);
  }));

Deno.test("EventLoop that was stopped cannot be run again", () =>
  withLoop(async (loop) => {
    loop.callSoon(() => loop.stop());
    await loop.run();
    await assertRejects(() => loop.run(), RuntimeError);
  }));

Deno.test("EventLoop.stop() of a loop that was not started is a RuntimeError", () =>
  withLoop((loop) => {
    assertThrows(() => loop.stop(), RuntimeError);
  }));

Deno.test("EventLoop.stop() ends run() with timers and tasks left", () =>
  withLoop(async (loop) => {
    let late = false;
    spawn(async () => {
      await sleep(1000);
      late = true;
    });
    loop.callLater(100, () => void (late = true));
    loop.callLater(10, () => loop.stop());
    const start = loop.time();
    await loop.run();
    assertEquals([late, loop.time() - start], [false, 10]);
  }));

Deno.test("EventLoop.stop() can be called by a task", () =>
  withLoop(async (loop) => {
    spawn(async () => {
      await sleep(1);
      loop.stop();
    });
    spawn(() => sleep(1e6));
    await loop.run();
    assert(loop.time() < 1e6);
  }));

Deno.test("EventLoop.runForever() goes on without work until it is stopped", () =>
  withLoop(async (loop) => {
    let stopped = false;
    // A timer of the platform, which the loop knows nothing of.
    setTimeout(() =>
      loop.callFromThread(() => {
        stopped = true;
        loop.stop();
      }), 5);
    await loop.runForever();
    assertEquals(stopped, true);
  }, { clock: undefined }));

Deno.test("EventLoop.runForever() does not take waiting tasks for a deadlock", () =>
  withLoop(async (loop) => {
    spawn(() => loop.switch());
    loop.callLater(100, () => loop.stop());
    await loop.runForever();
  }));

Deno.test("EventLoop.destroy() while running is a RuntimeError", () =>
  runLoop(async (loop) => {
    assertThrows(() => loop.destroy(), RuntimeError);
    await sleep(1);
    assertThrows(() => loop.destroy(), RuntimeError);
    loop.callSoon(() => void assertThrows(() => loop.destroy(), RuntimeError));
    await sleep(0);
  }));

Deno.test("EventLoop.run() starts no task before it is called", () =>
  withLoop(async (loop) => {
    let ran = false;
    spawn(() => void (ran = true));
    loop.callSoon(() => void (ran = true));
    await new Promise((resolve) => setTimeout(resolve, 1));
    assertEquals(ran, false);
    await loop.run();
    assertEquals(ran, true);
  }));

Deno.test("EventLoop.run() takes over a loop that started by itself", async () => {
  dropLoop();
  try {
    await sleep(1);
    let ran = false;
    const task = spawn(async () => {
      await sleep(5);
      ran = true;
    });
    await current.loop.run();
    assertEquals([ran, task.isAlive(), current.loop.running], [true, false, false]);
  } finally {
    dropLoop();
  }
});

Deno.test("EventLoop.run() does not wait for daemons, nor for their timers", () =>
  withLoop(async (loop) => {
    const ended: string[] = [];
    const daemon = new Task(async () => {
      await sleep(1e6);
      ended.push("daemon");
    }, { daemon: true }).start();
    spawn(async () => {
      await sleep(10);
      ended.push("task");
    });
    const start = loop.time();
    await loop.run();
    assertEquals([ended, loop.time() - start, daemon.daemon], [["task"], 10, true]);
  }));

Deno.test("EventLoop.run() ends at once with daemons only", () =>
  withLoop(async (loop) => {
    new Task(() => loop.switch(), { daemon: true }).start();
    new Task(() => sleep(1e6), { daemon: true }).start();
    await loop.run();
    assertEquals(loop.time() < 1e6, true);
  }));

Deno.test("EventLoop.run() serves daemons while a task is alive", () =>
  withLoop(async (loop) => {
    let ticks = 0;
    new Task(async () => {
      while (true) {
        await sleep(10);
        ticks++;
      }
    }, { daemon: true }).start();
    spawn(() => sleep(55));
    await loop.run();
    assertEquals(ticks, 5);
  }));

Deno.test("current refers to the loop and the task that runs", () =>
  runLoop(async (loop) => {
    const seen: Task[] = [];
    const task = spawn(async () => {
      seen.push(current.task, Task.current());
      await sleep(1);
      await Promise.resolve();
      seen.push(current.task);
      assertStrictEquals(current.loop, loop);
    });
    await task.join();
    assertEquals(seen.map((one) => one === task), [true, true, true]);
  }));

Deno.test("current.task is right after foreign promises, in every task", () =>
  runLoop(async () => {
    const tasks = Array.from({ length: 5 }, (_, i) =>
      spawn(async () => {
        for (let round = 0; round < 3; round++) {
          await new Promise<void>((resolve) => setTimeout(resolve, (i * 3 + round) % 4));
          assertStrictEquals(current.task, tasks[i]);
          await sleep(0);
          assertStrictEquals(current.task, tasks[i]);
        }
      }));
    for (const task of tasks) await task.join();
  }, { clock: undefined }));

Deno.test("EventLoop.time() is monotonic, in milliseconds, with the real clock", () =>
  runLoop(async (loop) => {
    const start = loop.time();
    await sleep(20);
    const passed = loop.time() - start;
    assert(passed >= 19 && passed < 10_000, `${passed} ms passed in 20`);
  }, { clock: undefined }));

Deno.test("a thread other than the main one has no loop before it makes one", async () => {
  const mod = new URL("../../mod.ts", import.meta.url).href;
  const source = `
    import { EventLoop, RuntimeError, spawn, sleep } from ${JSON.stringify(mod)};
    const log = [];
    try { EventLoop.current(); } catch (error) { log.push(error instanceof RuntimeError); }
    const loop = new EventLoop();
    log.push(EventLoop.current() === loop);
    spawn(async () => { await sleep(1); log.push("ran"); });
    loop.run().then(() => { loop.destroy(); postMessage(log); });
  `;
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const worker = new Worker(url, { type: "module" });
  try {
    const log = await new Promise((resolve, reject) => {
      worker.onmessage = (event) => resolve(event.data);
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(event.message));
      };
    });
    assertEquals(log, [true, true, "ran"]);
  } finally {
    worker.terminate();
    URL.revokeObjectURL(url);
  }
});

Deno.test("destroy() takes the tasks that are left out of what they wait in", async () => {
  const lock = new Lock();
  const first = new EventLoop();
  lock.tryAcquire();
  spawn(() => lock.acquire());
  first.callSoon(() => first.stop());
  await first.runForever();
  first.destroy();
  lock.release();
  assertEquals(lock.value, 1);
});
