import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { type ExceptionContext, sleep, spawn, Task, TaskExit } from "../../mod.ts";
import { runLoop, withLoop } from "../run_loop.ts";

const thrown = new RangeError("escaped");
const fail = () => {
  throw thrown;
};

Deno.test("an error that escapes a task is reported with the task, and the loop carries on", () => {
  const reports: ExceptionContext[] = [];
  return withLoop(async (loop) => {
    const tasks = [
      new Task(fail, { name: "sync" }).start(),
      new Task(() => Promise.reject(thrown), { name: "async" }).start(),
      new Task(() => sleep(0).then(fail), { name: "later" }).start(),
    ];
    let carriedOn = false;
    spawn(() => sleep(5).then(() => carriedOn = true));
    await loop.run();
    assertEquals(carriedOn, true);
    assertEquals(reports.map(({ task }) => task?.name), ["sync", "async", "later"]);
    for (const [i, context] of reports.entries()) {
      assertStrictEquals(context.error, thrown);
      assertStrictEquals(context.task, tasks[i]);
      assertEquals(context.handler, undefined);
      assert(context.message.length > 0);
    }
  }, { reports });
});

Deno.test("an error of a task is reported though somebody joins it, and join() is true", () => {
  const reports: ExceptionContext[] = [];
  return runLoop(async () => {
    const task = spawn(fail);
    assertEquals([await task.join(), task.isAlive(), task.state], [true, false, "ended"]);
    assertEquals(reports.length, 1);
  }, { reports });
});

Deno.test("anything can be thrown, and is reported", () => {
  const reports: ExceptionContext[] = [];
  return runLoop(async () => {
    for (const value of ["text", undefined, null, 0]) {
      const task = spawn(() => {
        throw value;
      });
      await task.join();
      assertStrictEquals(reports.at(-1)?.error, value);
    }
    assertEquals(reports.length, 4);
  }, { reports });
});

Deno.test("TaskExit is never reported, whoever throws it", () =>
  runLoop(async () => {
    class Leave extends TaskExit {}
    for (const Exit of [TaskExit, Leave]) {
      const thrower = spawn(() => {
        throw new Exit();
      });
      const victim = spawn(() => sleep(10));
      await sleep(0);
      victim.kill(new Exit());
      assertEquals([await thrower.join(), await victim.join()], [true, true]);
    }
  }));

Deno.test("a task killed with another error is reported like one that threw it", () => {
  const reports: ExceptionContext[] = [];
  return runLoop(async () => {
    const victim = spawn(() => sleep(10));
    await sleep(0);
    victim.kill(thrown);
    await victim.join();
    assertStrictEquals(reports[0].error, thrown);
    assertStrictEquals(reports[0].task, victim);
  }, { reports });
});

Deno.test("an exception handler that throws does not stop the loop", () =>
  withLoop(async (loop) => {
    const seen: unknown[] = [];
    const original = console.error;
    console.error = (...args: unknown[]) => void seen.push(...args);
    try {
      loop.setExceptionHandler(() => {
        throw new RangeError("from the handler");
      });
      let carriedOn = 0;
      spawn(fail);
      loop.callSoon(fail);
      spawn(() => sleep(1).then(() => carriedOn++));
      await loop.run();
      assertEquals(carriedOn, 1);
    } finally {
      console.error = original;
    }
    assert(/from the handler/.test(Deno.inspect(seen)), "The handler's own error was swallowed");
  }));

Deno.test("the default exception handler writes name and stack to the console", () =>
  withLoop(async (loop) => {
    const seen: unknown[] = [];
    const original = console.error;
    console.error = (...args: unknown[]) => void seen.push(...args);
    try {
      loop.setExceptionHandler(() => seen.push("not this one"));
      loop.setExceptionHandler(null);
      new Task(() => sleep(0).then(fail), { name: "the careless one" }).start();
      loop.callSoon(() => {
        throw new TypeError("from a callback");
      });
      await loop.run();
    } finally {
      console.error = original;
    }
    const text = seen.map((one) => typeof one === "string" ? one : Deno.inspect(one)).join("\n");
    for (const part of ["the careless one", "escaped", "exception_handler_test.ts", "callback"]) {
      assert(text.includes(part), `${part} is missing in: ${text}`);
    }
    assert(!text.includes("not this one"));
  }));

Deno.test("the exception handler may be changed while the loop runs", () =>
  withLoop(async (loop) => {
    const log: string[] = [];
    loop.setExceptionHandler(() => void log.push("first"));
    spawn(async () => {
      spawn(fail);
      await sleep(1);
      loop.setExceptionHandler(() => void log.push("second"));
      spawn(fail);
    });
    await loop.run();
    assertEquals(log, ["first", "second"]);
  }));

Deno.test("an error in a finally block takes the place of the kill, and is reported", () => {
  const reports: ExceptionContext[] = [];
  return runLoop(async () => {
    const victim = spawn(async () => {
      try {
        await sleep(10);
      } finally {
        fail();
      }
    });
    await sleep(0);
    victim.kill();
    await victim.join();
    assertEquals(reports.length, 1);
    assertInstanceOf(reports[0].error, RangeError);
  }, { reports });
});
