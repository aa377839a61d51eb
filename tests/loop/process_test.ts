/** How a whole program behaves: what it prints, how it ends, and that it does end. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { runProgram as run } from "../run_program.ts";

Deno.test("an error that escapes a task is printed with its name, and the program goes on", async () => {
  const { code, stdout, stderr } = await run(`
    import { EventLoop, sleep, spawn, Task } from "./mod.ts";
    async function careless() {
      await sleep(1);
      throw new RangeError("nobody caught this");
    }
    new Task(careless, { name: "the careless one" }).start();
    spawn(async () => { await sleep(5); console.log("went on"); });
    await EventLoop.current().run();
    console.log("done");
  `);
  assertEquals([code, stdout], [0, "went on\ndone\n"]);
  for (const part of ["the careless one", "nobody caught this", "careless"]) {
    assert(stderr.includes(part), `${part} is missing in: ${stderr}`);
  }
  assert(!/uncaught/i.test(stderr), stderr);
});

Deno.test("an error of a task is printed by a loop that started by itself, too", async () => {
  const { code, stdout, stderr } = await run(`
    import { sleep, Task } from "./mod.ts";
    new Task(() => { throw new RangeError("nobody caught this"); }, { name: "careless" }).start();
    await sleep(1);
    console.log("done");
  `);
  assertEquals([code, stdout], [0, "done\n"]);
  assertMatch(stderr, /careless[^]*nobody caught this/);
});

Deno.test("a deadlock ends a program with the report", async () => {
  const { code, stderr } = await run(`
    import { EventLoop, Queue, Task } from "./mod.ts";
    const queue = new Queue();
    new Task(async () => {
      await queue.get();
    }, { name: "the stuck one" }).start();
    await EventLoop.current().run();
  `);
  assertEquals(code, 1);
  assertMatch(stderr, /DeadlockError[^]*the stuck one[^]*Queue/);
});

Deno.test("a wait at the top level that can never end does not hang, nor pass for success", async () => {
  const { code, stderr } = await run(`
    import { Event } from "./mod.ts";
    await new Event().wait();
    console.log("never");
  `);
  assert(code !== 0);
  assert(stderr.length > 0);
});

Deno.test("a program ends when its loop has nothing left to do", async () => {
  const { code, stdout, stderr } = await run(`
    import { cooperate, current, Event, Queue, sleep, spawn, Task, Timeout } from "./mod.ts";
    const { loop } = current;
    loop.callLater(1e9, () => {}).cancel();
    loop.addSignalHandler("SIGUSR1", () => {});
    new Task(() => sleep(1e9), { daemon: true }).start();
    const victim = spawn(() => sleep(1e9));
    spawn(async () => {
      await sleep(1);
      victim.kill();
      using _ = new Timeout(1e9).start();
      await new Event().wait({ timeout: 1, signal: new AbortController().signal });
      await Promise.race([sleep(1e9), new Queue().get(), sleep(1)]);
      await cooperate(Promise.resolve(), { timeout: 1e9 });
    });
    await loop.run();
    console.log("done");
  `);
  assertEquals([code, stdout, stderr], [0, "done\n", ""]);
});

Deno.test("a program that only blocks at the top level ends after its last line", async () => {
  const { code, stdout, stderr } = await run(`
    import { Lock, sleep, spawn } from "./mod.ts";
    const lock = new Lock();
    await lock.acquire();
    const other = spawn(() => lock.with(() => console.log("other")));
    await sleep(1);
    lock.release();
    await other.join();
    await sleep(1);
    console.log("done");
  `);
  assertEquals([code, stdout, stderr], [0, "other\ndone\n", ""]);
});

Deno.test("a program ends after stop(), with tasks left", async () => {
  const { code, stdout, stderr } = await run(`
    import { current, Event, sleep, spawn } from "./mod.ts";
    spawn(() => new Event().wait());
    spawn(() => sleep(1e9));
    current.loop.callLater(1, () => current.loop.stop());
    await current.loop.runForever();
    console.log("stopped");
  `);
  assertEquals([code, stdout, stderr], [0, "stopped\n", ""]);
});

Deno.test("a program that never runs its loop runs no task, and ends with a report and exit code 1", async () => {
  const { code, stdout, stderr } = await run(`
    import { current, spawn } from "./mod.ts";
    spawn(() => console.log("never"));
    current.loop.callLater(1, () => console.log("never"));
    console.log("end");
  `);
  assertEquals([code, stdout], [1, "end\n"]);
  assertStringIncludes(stderr, "a task has never run, because nobody ran the event loop: Task-1.");
  assertStringIncludes(stderr, "await EventLoop.current().run()");
});

Deno.test("a program that ends while tasks are blocked says which, with exit code 1", async () => {
  const { code, stdout, stderr } = await run(`
    import { Queue, sleep, spawn } from "./mod.ts";
    const queue = new Queue<number>();
    spawn(async () => {
      for await (const item of queue) console.log(item);
    });
    queue.putNowait(1);
    await sleep(1);
    console.log("end");
  `);
  assertEquals([code, stdout], [1, "1\nend\n"]);
  assertStringIncludes(stderr, "tasks are left that nothing can wake:");
  assertStringIncludes(stderr, "Task-1 waits in Queue.get(), at ");
});

Deno.test("no unhandled rejection is left behind by anything that ends early", async () => {
  const { code, stdout, stderr } = await run(`
    import {
      Channel, cooperate, current, Event, Future, Lock, Queue, select, sleep, spawn, TaskGroup, Timeout,
    } from "./mod.ts";
    const { loop } = current;
    loop.setExceptionHandler((context) => console.log("reported:", String(context.error)));
    const lock = new Lock(), queue = new Queue(), channel = new Channel();
    spawn(async () => {
      await lock.acquire();
      const waits = [
        () => lock.acquire(),
        () => queue.get(),
        () => channel.send(1),
        () => channel.receive({ timeout: 1e6 }),
        () => new Event().wait(),
        () => sleep(1e6),
        () => select({ q: queue.getting(), c: channel.receiving() }),
        () => cooperate(new Promise((_, reject) => setTimeout(() => reject(new Error("late")), 50))),
        () => Promise.all([sleep(1e6), queue.get()]),
        () => Promise.race([sleep(1e6), queue.get()]),
        () => TaskGroup.run((group) => void group.spawn(() => sleep(1e6))),
        () => new Timeout(1e6).run(() => sleep(1e6)),
      ];
      // Channel: whoever sends meets whoever receives, which is an early end as well.
      const victims = waits.map((wait) => spawn(wait));
      await sleep(1);
      for (const victim of victims) victim.kill();
      for (const victim of victims) await victim.join();
      // But no group: that one's children would go on, and run() with them.
      const left = waits.filter((wait) => !/TaskGroup/.test(String(wait)));
      const racers = left.map((wait) => spawn(async () => { wait(); wait(); await sleep(1); }));
      for (const racer of racers) await racer.join();
      const future = new Future();
      future.setException(new Error("nobody asks"));
      const failing = TaskGroup.run((group) => {
        group.submit(() => { throw new Error("of a child"); });
      });
      try { await failing; } catch { /* expected */ }
    });
    await loop.run();
    await new Promise((resolve) => setTimeout(resolve, 100));
    console.log("done");
  `);
  assertEquals([code, stdout, stderr], [0, "done\n", ""]);
});

Deno.test("a task that is killed while the program ends runs its finally blocks", async () => {
  const { code, stdout } = await run(`
    import { current, Event, sleep, spawn } from "./mod.ts";
    const victim = spawn(async () => {
      try {
        await new Event().wait();
      } finally {
        await sleep(1);
        console.log("cleaned up");
      }
    });
    current.loop.callLater(1, () => victim.kill());
    await current.loop.run();
  `);
  assertEquals([code, stdout], [0, "cleaned up\n"]);
});
