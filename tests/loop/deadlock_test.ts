import { assert, assertEquals, assertInstanceOf, assertMatch, assertRejects } from "@std/assert";
import {
  Channel,
  DeadlockError,
  Event,
  Lock,
  Queue,
  RLock,
  RuntimeError,
  sleep,
  spawn,
  Task,
} from "../../mod.ts";
import { outcomeOf, withLoop } from "../run_loop.ts";

/** Runs a loop that must come to a deadlock, and gives the report. */
async function deadlockOf(begin: () => unknown): Promise<DeadlockError> {
  let error: unknown;
  await withLoop(async (loop) => {
    begin();
    const outcome = await outcomeOf(() => loop.run());
    error = "error" in outcome ? outcome.error : new Error("There was no deadlock");
    assertEquals(loop.running, false);
  });
  assertInstanceOf(error, DeadlockError);
  assert(error instanceof RuntimeError);
  assertEquals(error.name, "DeadlockError");
  return error;
}

Deno.test("two tasks that each wait for the lock the other holds are reported", async () => {
  const a = new Lock(), b = new Lock();
  const cross = (name: string, first: Lock, second: Lock) =>
    new Task(() =>
      first.with(async () => {
        await sleep(0);
        await second.acquire();
      }), { name }).start();
  const tasks: Task[] = [];
  const error = await deadlockOf(() => {
    tasks.push(cross("alice", a, b), cross("bob", b, a));
  });
  assertEquals(error.tasks.length, 2);
  for (const task of tasks) assert(error.tasks.includes(task));
  // Each line names a task, what it waits for, and where.
  const lines = error.message.split("\n");
  for (const name of ["alice", "bob"]) {
    const at = lines.findIndex((line) => line.includes(name));
    const about = lines.slice(at, at + 2).join("\n");
    assertMatch(about, /Lock/);
    assertMatch(about, /deadlock_test\.ts:\d+/);
  }
});

Deno.test("the report names who owns the lock that is waited for", async () => {
  const lock = new RLock();
  const error = await deadlockOf(() => {
    new Task(async () => {
      await lock.acquire();
      await new Event().wait();
    }, { name: "the owner" }).start();
    new Task(() => lock.acquire(), { name: "the waiter" }).start();
  });
  const lines = error.message.split("\n");
  const at = lines.findIndex((line) => line.includes("the waiter"));
  assertMatch(lines.slice(at, at + 2).join("\n"), /the waiter[^]*RLock[^]*the owner/);
});

Deno.test("the report names the place of the call, not one in the library", async () => {
  const event = new Event();
  const here = new Error().stack?.match(/deadlock_test\.ts:(\d+)/)?.[1];
  const helper = async () => {
    await Promise.resolve();
    await event.wait();
  };
  const error = await deadlockOf(() => spawn(helper));
  const line = Number(here) + 3;
  assertMatch(error.message, new RegExp(`deadlock_test\\.ts:${line}:`));
});

Deno.test("everybody who waits is in the report, and nobody who has ended", async () => {
  const queue = new Queue<number>(), channel = new Channel<number>();
  const named = (name: string, body: () => unknown) => new Task(body, { name }).start();
  const error = await deadlockOf(() => {
    const reader = named("reader", () => queue.get());
    named("sender", () => channel.send(1));
    named("joiner", () => reader.join());
    named("gone", () => sleep(5));
  });
  assertEquals(error.tasks.map((task) => task.name).toSorted(), ["joiner", "reader", "sender"]);
  for (const word of [/reader/, /sender/, /joiner/, /Queue/, /Channel/]) {
    assertMatch(error.message, word);
  }
  assertEquals(/gone/.test(error.message), false);
});

Deno.test("a task that joins itself in a circle is a deadlock", async () => {
  const error = await deadlockOf(() => {
    const tasks: Task[] = [];
    tasks.push(spawn(() => tasks[1].join()), spawn(() => tasks[0].join()));
  });
  assertEquals(error.tasks.length, 2);
});

Deno.test("daemons that wait are no deadlock, and neither is what they hold up", () =>
  withLoop(async (loop) => {
    const queue = new Queue<number>();
    new Task(() => queue.get(), { daemon: true }).start();
    spawn(() => sleep(1));
    await loop.run();
  }));

Deno.test("a daemon that has a timer running may still wake a task", () =>
  withLoop(async (loop) => {
    const event = new Event();
    new Task(async () => {
      await sleep(1000);
      event.set();
    }, { daemon: true }).start();
    let woken = false;
    spawn(async () => {
      woken = await event.wait();
    });
    await loop.run();
    assertEquals(woken, true);
  }));

Deno.test("a timer, be it of another task, is no deadlock before it has fired", () =>
  withLoop(async (loop) => {
    const event = new Event();
    spawn(() => event.wait());
    loop.callLater(1000, () => event.set());
    await loop.run();
    assertEquals(event.isSet(), true);
  }));

Deno.test("a wait with a timeout is no deadlock", () =>
  withLoop(async (loop) => {
    spawn(() => new Event().wait({ timeout: 1000 }));
    await loop.run();
  }));

Deno.test("what may come from outside is no deadlock", () =>
  withLoop(async (loop) => {
    const event = new Event();
    spawn(() => event.wait());
    spawn(async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      event.set();
    });
    await loop.run();
    assertEquals(event.isSet(), true);
  }));

Deno.test('onDeadlock "return" ends run() instead', () =>
  withLoop(async (loop) => {
    let cleaned = false;
    const stuck = spawn(async () => {
      try {
        await new Event().wait();
      } finally {
        cleaned = true;
      }
    });
    await loop.run();
    assertEquals([stuck.state, cleaned], ["waiting", false]);
  }, { onDeadlock: "return" }));

Deno.test("a loop that came to a deadlock can be destroyed, and cannot be run again", () =>
  withLoop(async (loop) => {
    spawn(() => new Event().wait());
    await assertRejects(() => loop.run(), DeadlockError);
    await assertRejects(() => loop.run(), RuntimeError);
  }));

Deno.test("the clock does not run ahead before a deadlock is found", () =>
  withLoop(async (loop) => {
    const start = loop.time();
    new Task(() => sleep(1e6), { daemon: true }).start();
    loop.callLater(1e6, () => {}).cancel();
    spawn(async () => {
      await sleep(10);
      await loop.switch();
    });
    // The daemon might do anything when it wakes, so its timer has to be waited for.
    await assertRejects(() => loop.run(), DeadlockError);
    assert([10, 1e6].includes(loop.time() - start));
  }));

Deno.test("a task that waits for itself alone is found out at once, whatever else has run", () =>
  withLoop(async (loop) => {
    const lock = new Lock();
    new Task(() => lock.with(() => lock.acquire()), { name: "narcissus" }).start();
    const outcome = await outcomeOf(() => loop.run());
    assert("error" in outcome && outcome.error instanceof DeadlockError);
    assertMatch(outcome.error.message, /narcissus/);
  }));
