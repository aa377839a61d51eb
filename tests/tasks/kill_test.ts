import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import {
  current,
  Event,
  type ExceptionContext,
  Lock,
  Queue,
  sleep,
  spawn,
  Task,
  TaskExit,
  TaskGroup,
} from "../../mod.ts";
import { killAtEveryStep } from "../kill_at_every_step.ts";
import { errorOf, outcomeOf, runLoop, valueOf, withLoop, witness } from "../run_loop.ts";

Deno.test("kill() on a task that was not started ends it without running it", () =>
  runLoop(async () => {
    for (const error of [undefined, new RangeError("never reported")]) {
      let ran = false;
      const task = new Task(() => void (ran = true));
      task.kill(error);
      assertEquals([task.state, task.isAlive()], ["ended", false]);
      assertEquals(await task.join(), true);
      await sleep(1);
      assertEquals(ran, false);
    }
  }));

Deno.test("kill() on a task that has not run yet ends it without running it", () =>
  withLoop(async (loop) => {
    const log: string[] = [];
    for (const error of [undefined, new RangeError("never reported")]) {
      const task = spawn(() => void log.push("ran"));
      task.kill(error);
      spawn(async () => void log.push(`joined: ${await task.join()}`));
    }
    await loop.run();
    assertEquals(log, ["joined: true", "joined: true"]);
  }));

Deno.test("kill() throws out of the call in which the task waits, and finally blocks run", () =>
  runLoop(async () => {
    const log: string[] = [];
    const victim = spawn(async () => {
      try {
        log.push("waits");
        await sleep(10);
        log.push("never");
      } finally {
        log.push("finally");
      }
    });
    await sleep(0);
    victim.kill();
    assertEquals(log, ["waits"]);
    assertEquals(await victim.join(), true);
    assertEquals([log, victim.isAlive()], [["waits", "finally"], false]);
  }));

Deno.test("kill() between two steps of a task ends it there", () =>
  withLoop(async (loop) => {
    const log: number[] = [];
    const victim = spawn(async () => {
      await sleep(0);
      log.push(1);
      await sleep(0);
      log.push(2);
    });
    spawn(() => victim.kill());
    await loop.run();
    // Spawned after the victim: by then the victim waits in its first sleep, already woken.
    assertEquals(log, [1]);
  }));

Deno.test("finally blocks of a killed task may block themselves", () =>
  runLoop(async (loop) => {
    const start = loop.time();
    const log: string[] = [];
    const victim = spawn(async () => {
      try {
        await new Event().wait();
      } finally {
        await sleep(10);
        log.push("cleaned up");
        await sleep(10);
        log.push("cleaned up more");
      }
    });
    await sleep(0);
    victim.kill();
    assertEquals([await victim.join({ timeout: 5 }), victim.isAlive()], [false, true]);
    assertEquals(await victim.join(), true);
    assertEquals([log, loop.time() - start], [["cleaned up", "cleaned up more"], 20]);
  }));

Deno.test("a task may catch its kill and go on", () =>
  runLoop(async () => {
    const victim = witness(async () => {
      const first = await outcomeOf(() => sleep(1e6));
      await sleep(1);
      return first;
    });
    await sleep(0);
    victim.task.kill();
    await victim.task.join();
    const first = valueOf(victim);
    assertInstanceOf("error" in first && first.error, TaskExit);
  }));

Deno.test("kill() by a task of itself comes at its next blocking call", () =>
  runLoop(async () => {
    const log: string[] = [];
    const error = new RangeError("by my own hand");
    const suicide = witness(async () => {
      current.task.kill(error);
      log.push("still here");
      await Promise.resolve();
      log.push("still");
      await sleep(0);
      log.push("never");
    });
    await suicide.task.join();
    assertStrictEquals(errorOf(suicide), error);
    assertEquals(log, ["still here", "still"]);
  }));

Deno.test("kill() of a task that ends without blocking again has no effect", () =>
  runLoop(async () => {
    const victim = witness(async () => {
      current.task.kill(new RangeError("too late"));
      await Promise.resolve();
      return "done";
    });
    await victim.task.join();
    assertEquals(valueOf(victim), "done");
    victim.task.kill(new RangeError("much too late"));
    assertEquals(await victim.task.join(), true);
    assertEquals(victim.task.state, "ended");
  }));

Deno.test("kill() of a task that was woken comes at its next call; that one succeeds", () =>
  runLoop(async () => {
    const victim = witness(async () => {
      await sleep(0);
      return await outcomeOf(() => sleep(0));
    });
    const killer = spawn(() => victim.task.kill());
    await victim.task.join();
    await killer.join();
    const second = valueOf(victim);
    assertInstanceOf("error" in second && second.error, TaskExit);
  }));

Deno.test("a pending kill takes nothing from what the next call waits for", () =>
  runLoop(async () => {
    const queue = new Queue<number>(), lock = new Lock();
    queue.putNowait(1);
    const victim = witness(async () => {
      current.task.kill();
      await sleep(0);
    });
    const blocked = witness(async () => {
      current.task.kill();
      await new Event().wait();
    });
    await victim.task.join();
    await blocked.task.join();
    assertInstanceOf(errorOf(victim), TaskExit);
    assertInstanceOf(errorOf(blocked), TaskExit);
    assertEquals([queue.qsize(), lock.tryAcquire()], [1, true]);
  }));

Deno.test("kill() can throw anything, and TaskExit is the default", () =>
  runLoop(async () => {
    for (const error of [new RangeError("x"), "text", 0, null]) {
      const victim = witness(() => sleep(1e6));
      await sleep(0);
      victim.task.kill(error);
      await victim.task.join();
      assertStrictEquals(errorOf(victim), error);
    }
    const victim = witness(() => sleep(1e6));
    await sleep(0);
    victim.task.kill();
    await victim.task.join();
    const exit = errorOf(victim);
    assertInstanceOf(exit, TaskExit);
    assertEquals(exit.name, "TaskExit");
  }));

Deno.test("kill() reaches a task in every place in which it waits", () =>
  runLoop(async () => {
    const lock = new Lock();
    await lock.acquire();
    const victim = witness(() =>
      Promise.allSettled([sleep(1e6), new Event().wait(), lock.acquire(), new Queue().get()])
    );
    await sleep(0);
    victim.task.kill();
    await victim.task.join();
    for (const one of valueOf(victim)) {
      assert(one.status === "rejected");
      assertInstanceOf(one.reason, TaskExit);
    }
    lock.release();
    assertEquals(lock.tryAcquire(), true);
  }));

Deno.test("kill() of a task that waits in Promise.all() leaves no unhandled rejection", () =>
  runLoop(async () => {
    const victim = witness(() => Promise.all([sleep(1e6), new Event().wait(), sleep(1e6)]));
    await sleep(0);
    victim.task.kill();
    await victim.task.join();
    assertInstanceOf(errorOf(victim), TaskExit);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }));

Deno.test("what a task leaves waiting in Promise.race() ends silently, and takes nothing", () =>
  runLoop(async () => {
    const queue = new Queue<number>(), lock = new Lock();
    await lock.acquire();
    const racer = witness(() =>
      Promise.race([queue.get(), lock.acquire(), sleep(1).then(() => "quick")])
    );
    await racer.task.join();
    assertEquals(valueOf(racer), "quick");
    queue.putNowait(1);
    lock.release();
    await sleep(5);
    assertEquals([queue.qsize(), lock.tryAcquire()], [1, true]);
  }));

Deno.test("Task.signal is aborted at once when the task is killed, with the error", () =>
  runLoop(async () => {
    const victim = witness(() => sleep(10));
    const { signal } = victim.task;
    assertStrictEquals(victim.task.signal, signal);
    await sleep(0);
    assertEquals(signal.aborted, false);
    const error = new RangeError("killed");
    victim.task.kill(error);
    assertEquals(signal.aborted, true);
    assertStrictEquals(signal.reason, error);
    await victim.task.join();
    const unharmed = spawn(() => {});
    await unharmed.join();
    unharmed.kill();
    assertEquals(unharmed.signal.aborted, false);
  }));

Deno.test("Task.signal asked for after the kill is aborted, too", () =>
  runLoop(async () => {
    const victim = witness(() => sleep(10));
    await sleep(0);
    victim.task.kill();
    assertEquals(victim.task.signal.aborted, true);
    await victim.task.join();
  }));

Deno.test("Task.signal ends what is foreign, when handed to it", () =>
  runLoop(async () => {
    const victim = witness(async () => {
      const { signal } = current.task;
      await new Promise((_, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason), { once: true })
      );
    });
    await sleep(0);
    victim.task.kill();
    await victim.task.join();
    assertInstanceOf(errorOf(victim), TaskExit);
  }));

Deno.test("kill() from a callback of the loop works like that of a task", () =>
  runLoop(async (loop) => {
    const victim = witness(() => sleep(1e6));
    loop.callLater(5, () => victim.task.kill());
    await victim.task.join();
    assertInstanceOf(errorOf(victim), TaskExit);
  }));

Deno.test("a task that is killed while it dies comes to its end", () =>
  runLoop(async () => {
    const log: string[] = [];
    const victim = spawn(async () => {
      try {
        await sleep(1e6);
      } finally {
        try {
          await sleep(1e6);
        } finally {
          log.push("both");
        }
      }
    });
    await sleep(0);
    victim.kill();
    await sleep(1);
    victim.kill();
    assertEquals([await victim.join(), log], [true, ["both"]]);
  }));

killAtEveryStep("a task's finally blocks run to their end", {
  make: () => ({ entered: 0, left: 0 }),
  async victim(state, _, step) {
    for (let i = 0; i < 5; i++) {
      state.entered++;
      try {
        await step();
      } finally {
        state.left++;
      }
    }
  },
  others: [],
  check: (state) => assertEquals(state.left, state.entered),
});

killAtEveryStep("joiners are woken", {
  make() {
    const end = new Event();
    return { end, task: spawn(() => end.wait()), joined: 0 };
  },
  async victim(state, wait) {
    return await state.task.join(wait);
  },
  others: [
    async (state) => {
      if (await state.task.join()) state.joined++;
    },
    async (state, step) => {
      for (let i = 0; i < 3; i++) await step();
      state.end.set();
    },
    async (state) => {
      if (await state.task.join()) state.joined++;
    },
  ],
  check: (state) => assertEquals(state.joined, 2),
});

Deno.test("a killed task whose error is only the kill, in whichever wrapping, is not reported", () =>
  runLoop(async () => {
    const bodies = [
      () => Promise.any([sleep(1_000), sleep(1_000)]),
      () =>
        sleep(1_000).catch((cause) => {
          throw new Error(cause.message, { cause });
        }),
    ];
    for (const body of bodies) {
      const task = spawn(body);
      await sleep(1);
      task.kill();
      assertEquals(await task.join(), true);
    }
    await TaskGroup.run(async (group) => {
      const child = group.spawn(bodies[0]);
      await sleep(1);
      child.kill();
    });
  }));

Deno.test("a killed task that fails with something of its own is reported", async () => {
  const reports: ExceptionContext[] = [];
  await runLoop(async () => {
    const task = spawn(() =>
      sleep(1_000).catch((cause) => {
        throw new Error("The cleanup failed", { cause });
      })
    );
    const both = spawn(() =>
      Promise.any([sleep(1_000), Promise.reject(new Error("another failure"))])
    );
    await sleep(1);
    task.kill();
    both.kill();
    await task.join();
    await both.join();
  }, { reports });
  assertEquals(reports.map(({ error }) => (error as Error).message), [
    "The cleanup failed",
    "All promises were rejected",
  ]);
});
