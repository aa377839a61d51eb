import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { current, Event, RuntimeError, sleep, spawn, Task, task } from "../../mod.ts";
import { dropLoop, errorOf, runLoop, valueOf, withLoop, witness } from "../run_loop.ts";

Deno.test("spawn() runs its target with the arguments, once the loop gets to it", () =>
  withLoop(async (loop) => {
    const calls: unknown[][] = [];
    spawn((...args: unknown[]) => calls.push(args), 1, "two");
    spawn(async (n: number) => void calls.push([await Promise.resolve(n)]), 3);
    assertEquals(calls, []);
    await loop.run();
    assertEquals(calls, [[1, "two"], [3]]);
  }));

Deno.test("spawn() inside a task does not run its target before that task blocks", () =>
  runLoop(async () => {
    const log: string[] = [];
    const child = spawn(() => void log.push("child"));
    log.push("parent");
    await Promise.resolve();
    log.push("parent, still");
    await child.join();
    assertEquals(log, ["parent", "parent, still", "child"]);
  }));

Deno.test("tasks run in the order in which they were spawned, turn by turn", () =>
  withLoop(async (loop) => {
    const log: number[] = [];
    for (const n of [1, 2, 3]) {
      spawn(async () => {
        log.push(n);
        await sleep(0);
        log.push(n);
      });
    }
    await loop.run();
    assertEquals(log, [1, 2, 3, 1, 2, 3]);
  }));

Deno.test("tasks keep their order however deep their stacks are", () =>
  withLoop(async (loop) => {
    const log: string[] = [];
    const yieldAt = async (depth: number): Promise<void> => {
      if (depth > 0) return await yieldAt(depth - 1);
      await sleep(0);
    };
    for (const [name, depth] of [["deep", 50], ["flat", 0], ["middle", 7]] as const) {
      spawn(async () => {
        for (let round = 0; round < 3; round++) {
          log.push(`${name} ${round}`);
          await yieldAt(depth);
        }
      });
    }
    await loop.run();
    const turns = [0, 1, 2].flatMap((i) => [`deep ${i}`, `flat ${i}`, `middle ${i}`]);
    assertEquals(log, turns);
  }));

Deno.test("awaiting what does not block lets no other task in, however deep it is", () =>
  withLoop(async (loop) => {
    const log: string[] = [];
    const deep = async (n: number): Promise<void> => {
      if (n > 0) await deep(n - 1);
    };
    for (const name of ["a", "b"]) {
      spawn(async () => {
        log.push(name);
        await deep(100);
        for (let i = 0; i < 100; i++) await null;
        await Promise.all([deep(3), deep(30), (async () => {})()]);
        for await (
          const _ of (async function* () {
            yield 1;
            yield 2;
          })()
        );
        log.push(name);
        await sleep(0);
        await deep(10);
        log.push(name);
        await deep(10);
        log.push(name);
      });
    }
    await loop.run();
    assertEquals(log, ["a", "a", "b", "b", "a", "a", "b", "b"]);
  }));

Deno.test("Task takes target, arguments and name, and starts once", () =>
  runLoop(async () => {
    const calls: unknown[] = [];
    const one = new Task((a: number, b: string) => calls.push(a, b), {
      args: [1, "two"],
      name: "mine",
    });
    assertEquals([one.name, one.state, one.isAlive(), one.daemon], [
      "mine",
      "initial",
      false,
      false,
    ]);
    assertStrictEquals(one.start(), one);
    assertThrows(() => one.start(), RuntimeError);
    assertEquals([one.isAlive(), calls.length], [true, 0]);
    assertEquals(await one.join(), true);
    assertThrows(() => one.start(), RuntimeError);
    assertEquals([calls, one.isAlive()], [[1, "two"], false]);
  }));

Deno.test("Task has a name of its own by default", () => {
  const names = Array.from({ length: 3 }, () => new Task().name);
  for (const name of names) assertMatch(name, /^Task-\d+$/);
  assertEquals(new Set(names).size, 3);
});

Deno.test("Task.state tells where a task is", () =>
  runLoop(async () => {
    const states: string[] = [];
    const gate = new Event();
    const one: Task = new Task(async () => {
      states.push(one.state);
      await gate.wait();
      states.push(one.state);
    });
    const look = () => states.push(`${one.state}, ${one.isAlive() ? "alive" : "not alive"}`);
    look();
    one.start();
    look();
    await sleep(0);
    look();
    gate.set();
    await one.join();
    look();
    assertEquals(states, [
      "initial, not alive",
      "started, alive",
      "running",
      "waiting, alive",
      "running",
      "ended, not alive",
    ]);
  }));

Deno.test("Task can be subclassed, with run() overridden", () =>
  runLoop(async () => {
    class Worker extends Task {
      called = 0;
      override async run() {
        await sleep(1);
        this.called++;
        assertStrictEquals(Task.current(), this);
      }
    }
    const worker = new Worker();
    await worker.start().join();
    assertEquals(worker.called, 1);
    const named = new Worker(undefined, { name: "named" });
    await named.start().join();
    assertEquals([named.name, named.called], ["named", 1]);
  }));

Deno.test("Task without a target ends when it is run", () =>
  runLoop(async () => {
    assertEquals(await new Task().start().join(), true);
  }));

Deno.test("Task refuses a target that is no function", () => {
  for (const wrong of ["text", {}, 5]) {
    assertThrows(() => new Task(wrong as unknown as () => void), TypeError);
    assertThrows(() => spawn(wrong as unknown as () => void), TypeError);
  }
});

Deno.test("Task.join() waits for the end, with its finally blocks", () =>
  runLoop(async () => {
    const log: string[] = [];
    const one = spawn(async () => {
      try {
        await sleep(10);
      } finally {
        await sleep(10);
        log.push("ended");
      }
    });
    assertEquals(await one.join(), true);
    log.push("joined");
    assertEquals([log, await one.join(), await one.join({ timeout: 0 })], [
      ["ended", "joined"],
      true,
      true,
    ]);
  }));

Deno.test("Task.join() of a task that is not started, or of oneself, is a RuntimeError", () =>
  runLoop(async () => {
    const one = new Task(() => {});
    await assertRejects(() => one.join(), RuntimeError);
    await assertRejects(() => one.join({ timeout: 0 }), RuntimeError);
    await assertRejects(() => current.task.join(), RuntimeError);
    await one.start().join();
  }));

Deno.test("Task.join() gives false when its time has passed, and the task goes on", () =>
  runLoop(async () => {
    const one = spawn(() => sleep(100));
    assertEquals([await one.join({ timeout: 10 }), one.isAlive()], [false, true]);
    assertEquals([await one.join(), one.isAlive()], [true, false]);
  }));

Deno.test("killing who joins does not kill who is joined", () =>
  runLoop(async () => {
    const one = spawn(() => sleep(10));
    const joiner = spawn(() => one.join());
    await sleep(0);
    joiner.kill();
    await joiner.join();
    assertEquals([one.isAlive(), await one.join()], [true, true]);
  }));

Deno.test("the parent of a task is who spawned it", () =>
  runLoop(async () => {
    let grandchild: Task | undefined;
    const child: Task = spawn(async () => {
      grandchild = spawn(() => sleep(1));
      assertStrictEquals(grandchild.parent, child);
      await sleep(5);
    });
    assertStrictEquals(child.parent, current.task);
    await sleep(2);
    assertStrictEquals(grandchild?.parent, child);
    await child.join();
    assertStrictEquals(child.parent, current.task);
  }));

Deno.test("the parent of a task is who spawned it, even after both have ended", () =>
  runLoop(async () => {
    let grandchild: Task | undefined;
    const child = spawn(() => {
      grandchild = spawn(() => {});
    });
    await child.join();
    await grandchild?.join();
    assertStrictEquals(grandchild?.parent, child);
  }));

Deno.test("the parent of a task that was spawned outside every task is the main task", () =>
  withLoop(async (loop) => {
    const main = Task.current();
    assertEquals([main.parent, main instanceof Task], [null, true]);
    assertStrictEquals(current.task, main);
    const outside = spawn(() => {});
    const parents: (Task | null)[] = [];
    loop.callSoon(() => void parents.push(spawn(() => {}).parent));
    await loop.run();
    assertStrictEquals(outside.parent, main);
    assertStrictEquals(parents[0], main);
  }));

Deno.test("task() makes a function spawn what it does", () =>
  runLoop(async () => {
    const seen: unknown[] = [];
    const work = task(async (a: number, b: string) => {
      await sleep(1);
      seen.push(a, b, current.task);
    });
    const one = work(1, "two");
    assert(one instanceof Task);
    assertEquals(seen, []);
    await one.join();
    assertEquals(seen.slice(0, 2), [1, "two"]);
    assertStrictEquals(seen[2], one);
  }));

Deno.test("@task makes a method spawn what it does, async or not", () =>
  runLoop(async () => {
    class Counter {
      count = 0;
      @task
      async later(by: number) {
        await sleep(1);
        this.count += by;
      }
      @task
      now(by: number) {
        this.count += by;
      }
      @task
      static made(log: string[]) {
        log.push("static");
      }
    }
    const counter = new Counter(), other = new Counter(), log: string[] = [];
    const tasks = [counter.later(1), counter.now(10), other.now(5), Counter.made(log)] as unknown;
    for (const one of tasks as Task[]) {
      assert(one instanceof Task);
      await one.join();
    }
    assertEquals([counter.count, other.count, log], [11, 5, ["static"]]);
  }));

Deno.test("many tasks can be spawned, and all of them end", () =>
  runLoop(async () => {
    let ended = 0;
    const tasks = Array.from({ length: 5000 }, (_, i) =>
      spawn(async () => {
        await sleep(i % 7);
        ended++;
      }));
    for (const one of tasks) await one.join();
    assertEquals(ended, 5000);
  }));

Deno.test("a task may wait in several places at once", () =>
  runLoop(async (loop) => {
    const start = loop.time();
    const all = await Promise.all([
      sleep(10).then(() => 1),
      sleep(5).then(() => 2),
      new Event().wait({ timeout: 7 }),
    ]);
    assertEquals([all, loop.time() - start], [[1, 2, false], 10]);
    const first = await Promise.race([sleep(20).then(() => "slow"), sleep(3).then(() => "quick")]);
    assertEquals([first, loop.time() - start], ["quick", 13]);
  }));

Deno.test("outside every task there is the main task, which can block as well", async () => {
  dropLoop();
  try {
    const main = Task.current();
    assertStrictEquals(current.task, main);
    const log: string[] = [];
    const one = spawn(async () => {
      log.push("spawned");
      await sleep(1);
      log.push("ended");
    });
    await sleep(0);
    log.push("main");
    assertEquals(await one.join(), true);
    assertEquals(log, ["spawned", "main", "ended"]);
    assertStrictEquals(Task.current(), main);
    current.loop.callLater(1, () => main.kill(new RangeError("main was killed")));
    await assertRejects(() => sleep(1e6), RangeError, "main was killed");
    await assertRejects(() => main.join(), RuntimeError);
  } finally {
    dropLoop();
  }
});

Deno.test("the witness of a test sees how a task ended", () =>
  runLoop(async () => {
    const good = witness(() => 1), bad = witness(() => Promise.reject(new RangeError("x")));
    await good.task.join();
    await bad.task.join();
    assertEquals(valueOf(good), 1);
    assert(errorOf(bad) instanceof RangeError);
    assertThrows(() => errorOf(good));
    assertThrows(() => valueOf(bad), RangeError);
  }));
