import { assertEquals, assertInstanceOf, assertStrictEquals, assertThrows } from "@std/assert";
import {
  DeadlockError,
  Event,
  type EventLoop,
  type ExceptionContext,
  sleep,
  spawn,
} from "../../mod.ts";
import { outcomeOf, withLoop } from "../run_loop.ts";

const SIGNAL = "SIGUSR1";

/** Sends the signal to this process. */
const send = (signal: Deno.Signal = SIGNAL) => Deno.kill(Deno.pid, signal);

/** Runs a loop with the real clock, until `body`, run as a task, has ended. */
function runSignals(
  body: (loop: EventLoop) => Promise<void>,
  reports?: ExceptionContext[],
): Promise<void> {
  return withLoop(async (loop) => {
    let failure: { error: unknown } | undefined;
    spawn(async () => {
      const outcome = await outcomeOf(() => body(loop));
      if ("error" in outcome) failure = outcome;
    });
    try {
      await loop.run();
    } finally {
      loop.removeSignalHandler(SIGNAL);
    }
    if (failure) throw failure.error;
  }, { clock: undefined, reports });
}

/** Waits until `done` holds. */
async function until(done: () => boolean) {
  while (!done()) await sleep(1);
}

Deno.test("a signal handler is called with its arguments, each time", () =>
  runSignals(async (loop) => {
    const calls: unknown[][] = [];
    loop.addSignalHandler(SIGNAL, (...args: unknown[]) => void calls.push(args), 1, 2);
    send();
    await until(() => calls.length === 1);
    send();
    await until(() => calls.length === 2);
    assertEquals(calls, [[1, 2], [1, 2]]);
  }));

Deno.test("all handlers of a signal are called, in the order in which they were added", () =>
  runSignals(async (loop) => {
    const calls: number[] = [];
    for (const n of [1, 2, 3]) loop.addSignalHandler(SIGNAL, () => void calls.push(n));
    send();
    await until(() => calls.length >= 3);
    assertEquals(calls, [1, 2, 3]);
  }));

Deno.test("the same function may handle a signal twice", () =>
  runSignals(async (loop) => {
    let calls = 0;
    const handler = () => void calls++;
    loop.addSignalHandler(SIGNAL, handler);
    loop.addSignalHandler(SIGNAL, handler);
    send();
    await until(() => calls >= 2);
    assertEquals(calls, 2);
  }));

Deno.test("a cancelled signal handler is not called, the others are", () =>
  runSignals(async (loop) => {
    const calls: string[] = [];
    loop.addSignalHandler(SIGNAL, () => void calls.push("stays"));
    const gone = loop.addSignalHandler(SIGNAL, () => void calls.push("gone"));
    {
      using _gone = loop.addSignalHandler(SIGNAL, () => void calls.push("gone, too"));
    }
    gone.cancel();
    assertEquals(gone.cancelled, true);
    send();
    await until(() => calls.length > 0);
    await sleep(2);
    assertEquals(calls, ["stays"]);
  }));

Deno.test("removeSignalHandler() removes all of that signal, and tells if there were any", () =>
  runSignals(async (loop) => {
    const calls: string[] = [];
    assertEquals(loop.removeSignalHandler(SIGNAL), false);
    loop.addSignalHandler(SIGNAL, () => void calls.push("removed"));
    loop.addSignalHandler(SIGNAL, () => void calls.push("removed"));
    loop.addSignalHandler("SIGUSR2", () => void calls.push("other"));
    assertEquals(loop.removeSignalHandler(SIGNAL), true);
    assertEquals(loop.removeSignalHandler(SIGNAL), false);
    loop.addSignalHandler(SIGNAL, () => void calls.push("added later"));
    send();
    await until(() => calls.length === 1);
    send("SIGUSR2");
    await until(() => calls.length === 2);
    assertEquals(calls, ["added later", "other"]);
    assertEquals(loop.removeSignalHandler("SIGUSR2"), true);
  }));

Deno.test("a signal handler wakes a task, which is not deadlocked while it is there", () =>
  runSignals(async (loop) => {
    const event = new Event();
    loop.addSignalHandler(SIGNAL, () => event.set());
    // Sent by the platform's timer, of which the loop knows nothing.
    setTimeout(() => send(), 5);
    assertEquals(await event.wait(), true);
  }));

Deno.test("a task that waits is deadlocked once the last signal handler is cancelled", () =>
  withLoop(async (loop) => {
    const handler = loop.addSignalHandler(SIGNAL, () => {});
    loop.callLater(2, () => handler.cancel());
    spawn(() => new Event().wait());
    const outcome = await outcomeOf(() => loop.run());
    assertInstanceOf("error" in outcome && outcome.error, DeadlockError);
  }, { clock: undefined }));

Deno.test("signal handlers alone do not keep run() going", () =>
  withLoop(async (loop) => {
    loop.addSignalHandler(SIGNAL, () => {});
    await loop.run();
  }, { clock: undefined }));

Deno.test("a signal handler that throws is reported, and the next one is called", () => {
  const reports: ExceptionContext[] = [];
  return runSignals(async (loop) => {
    const thrown = new RangeError("from a signal handler");
    let called = false;
    const handler = loop.addSignalHandler(SIGNAL, () => {
      throw thrown;
    });
    loop.addSignalHandler(SIGNAL, () => void (called = true));
    send();
    await until(() => called);
    assertStrictEquals(reports[0].error, thrown);
    assertStrictEquals(reports[0].handler, handler);
  }, reports);
});

Deno.test("runForever() serves signals", () =>
  withLoop(async (loop) => {
    let calls = 0;
    loop.addSignalHandler(SIGNAL, () => {
      calls++;
      loop.stop();
    });
    setTimeout(() => send(), 2);
    await loop.runForever();
    assertEquals(calls, 1);
  }, { clock: undefined }));

Deno.test("a signal that cannot be handled is refused, and leaves nothing behind", () =>
  withLoop((loop) => {
    assertThrows(() => loop.addSignalHandler("SIGKILL", () => {}));
    assertEquals(loop.removeSignalHandler("SIGKILL"), false);
  }));
