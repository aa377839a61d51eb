import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import {
  connectLoop,
  current,
  type EventLoop,
  type ExceptionContext,
  type RemoteLoop,
  RuntimeError,
  sleep,
  spawn,
  TaskExit,
  transfer,
} from "../../mod.ts";
import { errorOf, runLoop, withLoop, witness } from "../run_loop.ts";
import type { Functions } from "./connected_worker.ts";

/** Starts a thread with a loop, and connects to it. */
async function connected(
  body: (remote: RemoteLoop<Functions>, worker: Worker, refusal: string) => Promise<void>,
): Promise<void> {
  const worker = new Worker(new URL("./connected_worker.ts", import.meta.url), { type: "module" });
  try {
    const { port, refusal } = await new Promise<{ port: MessagePort; refusal: string }>(
      (resolve) => worker.onmessage = ({ data }) => resolve(data),
    );
    const remote = connectLoop<Functions>(port);
    try {
      await body(remote, worker, refusal);
    } finally {
      remote.close();
    }
  } finally {
    worker.terminate();
  }
}

Deno.test("a Worker has no loop until it makes one", () =>
  connected((_remote, _worker, refusal) => {
    assertMatch(refusal, /new EventLoop\(\)/);
    return Promise.resolve();
  }));

Deno.test("RemoteLoop.call() gives what the function returns, which may block", () =>
  connected(async (remote) => {
    const sums = await Promise.all([1, 2, 3].map((n) => remote.call("add", n, n)));
    assertEquals(sums, [2, 4, 6]);
  }));

Deno.test("RemoteLoop.call() runs each call in a task of its own", () =>
  connected(async (remote) => {
    const names = [await remote.call("taskName"), await remote.call("taskName")];
    assertMatch(names[0], /^Task-\d+$/);
    assert(names[0] !== names[1]);
  }));

Deno.test("calls of another thread start in order of arrival, and may overtake each other", () =>
  connected(async (remote) => {
    const slow = remote.call("write", "slow", 20);
    remote.callFromThread("write", "cast");
    await remote.call("write", "quick");
    await slow;
    assertEquals(
      await remote.call("read"),
      ["slow", "cast", "quick"].map((text) => `${text} begins`)
        .toSpliced(2, 0, "cast ends").concat("quick ends", "slow ends"),
    );
  }));

Deno.test("RemoteLoop.call() throws what the function throws", () =>
  connected(async (remote) => {
    const error = await assertRejects(() => remote.call("fail", "over there"), RangeError);
    assertEquals([error.message, (error as RangeError & { code: number }).code], ["over there", 7]);
    assert(error.stack!.includes("connected_worker.ts"), error.stack);
  }));

Deno.test("RemoteLoop refuses what cannot be sent, and names that are not exposed", () =>
  connected(async (remote) => {
    const fn = (() => 1) as unknown as number;
    await assertRejects(() => remote.call("add", fn, 1), TypeError, "argument");
    assertThrows(() => remote.callFromThread("add", fn, 1), TypeError, "argument");
    await assertRejects(() => remote.call("unsendable"), TypeError, "returned");
    for (const name of ["nothing", "toString", "__proto__"]) {
      await assertRejects(() => remote.call(name as "read"), TypeError, name);
    }
    assertEquals(await remote.call("add", 1, 1), 2);
  }));

Deno.test("a cancelled handler of callFromThread() keeps the function from being called", () =>
  connected(async (remote) => {
    remote.callFromThread("compute", 50); // It has no time to be quicker.
    const handler = remote.callFromThread("write", "cancelled");
    handler.cancel();
    assertEquals([handler.cancelled, await remote.call("read")], [true, []]);
  }));

Deno.test("RemoteLoop.close() rejects what is outstanding, and refuses more", () =>
  connected(async (remote) => {
    const hanging = remote.call("hang");
    remote.close();
    await assertRejects(() => hanging, RuntimeError, "closed");
    await assertRejects(() => remote.call("read"), RuntimeError, "closed");
    assertThrows(() => remote.callFromThread("write", "x"), RuntimeError, "closed");
    remote.close();
  }));

for (const how of ["stop", "exit", "terminate"] as const) {
  Deno.test(`what is outstanding is rejected when the other side ends by ${how}`, () =>
    connected(async (remote, worker) => {
      const hanging = remote.call("hang");
      if (how === "terminate") worker.terminate();
      else remote.call(how).catch(() => {});
      await assertRejects(() => hanging, RuntimeError, "not answered");
    }));
}

Deno.test("loops of two threads call each other", () =>
  runLoop((loop) =>
    connected(async (remote) => {
      const port = loop.expose({ double: async (n: number) => (await sleep(1), 2 * n) });
      const answer = remote.call("askBack", transfer(port), 20);
      assertEquals(await current.loop.cooperate(answer), 41);
    }), { clock: undefined }));

/** A loop that exposes `functions`, and a connection to it from the same thread. */
function looped<F extends Record<string, (...args: never[]) => unknown>>(
  functions: F,
  body: (remote: RemoteLoop<F>, loop: EventLoop) => Promise<void>,
  reports?: ExceptionContext[],
): Promise<void> {
  return withLoop(async (loop) => {
    const remote = connectLoop<F>(loop.expose(functions));
    const test = witness(() => body(remote, loop));
    try {
      await loop.run();
    } finally {
      remote.close();
    }
    if ("error" in test.outcome!) throw test.outcome.error;
  }, { clock: undefined, reports });
}

Deno.test("a task that waits for another thread's call is not deadlocked", () => {
  let waiting: Promise<void> | undefined;
  return looped({
    wake: () => waker?.wake(),
  }, async (remote) => {
    setTimeout(() => remote.callFromThread("wake"), 20);
    await current.loop.switch<void>((given) => void (waker = given));
    assertEquals(waiting, undefined);
  });
});
let waker: { wake(): void } | undefined;

Deno.test("exposed functions by themselves do not keep run() going", () =>
  withLoop(async (loop) => {
    const port = loop.expose({ idle: () => {} });
    spawn(() => {});
    await loop.run();
    const remote = connectLoop<{ idle(): void }>(port);
    await assertRejects(() => remote.call("idle"), RuntimeError);
  }, { clock: undefined }));

Deno.test("an error of a call that wants no answer is reported where it was called", () => {
  const reports: ExceptionContext[] = [];
  return looped({
    fail() {
      throw new RangeError("nobody waits");
    },
    read: () => reports.map(({ error }) => String(error)),
  }, async (remote) => {
    remote.callFromThread("fail");
    assertEquals(await remote.call("read"), ["RangeError: nobody waits"]);
  }, reports);
});

Deno.test("an exposed function that is killed gives TaskExit to the caller", () =>
  looped({
    suicide() {
      throw new TaskExit("gone");
    },
  }, async (remote) => {
    assertInstanceOf(await remote.call("suicide").catch((error) => error), TaskExit);
  }));

Deno.test("a task can be killed while it cooperates with a remote call", () =>
  looped({ hang: () => sleep(50) }, async (remote) => {
    const victim = witness(() => current.loop.cooperate(remote.call("hang")));
    await sleep(1);
    victim.task.kill();
    await victim.task.join();
    assertInstanceOf(errorOf(victim), TaskExit);
  }));

Deno.test("expose() and connectLoop() refuse what makes no sense", () =>
  withLoop((loop) => {
    for (const wrong of [null, 5, { a: 5 }]) {
      assertThrows(() => loop.expose(wrong as unknown as Record<string, () => void>), TypeError);
      assertThrows(() => connectLoop(wrong as unknown as MessagePort), TypeError);
    }
  }));
