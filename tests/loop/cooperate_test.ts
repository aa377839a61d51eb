import { assertEquals, assertInstanceOf, assertRejects, assertStrictEquals } from "@std/assert";
import { cooperate, sleep, spawn, TaskExit, Timeout, TimeoutError } from "../../mod.ts";
import { errorOf, outcomeOf, runLoop, valueOf, withLoop, witness } from "../run_loop.ts";

/** A foreign promise that settles after a few milliseconds of the platform's clock. */
function later<T>(settle: () => T): Promise<T> {
  return new Promise((resolve, reject) =>
    setTimeout(() => {
      try {
        resolve(settle());
      } catch (error) {
        reject(error);
      }
    }, 2)
  );
}

Deno.test("cooperate() gives the promise's value, or throws its error", () =>
  runLoop(async (loop) => {
    assertEquals(await cooperate(later(() => 1)), 1);
    assertEquals(await loop.cooperate(Promise.resolve(2)), 2);
    assertEquals(await cooperate({ then: (resolve) => (resolve?.(3), undefined as never) }), 3);
    const error = new RangeError("foreign");
    const failing = () => {
      throw error;
    };
    for (const promise of [() => later(failing), () => Promise.reject(error)]) {
      const outcome = await outcomeOf(() => cooperate(promise()));
      assertStrictEquals("error" in outcome && outcome.error, error);
    }
  }));

Deno.test("cooperate() lets others run while it waits", () =>
  runLoop(async () => {
    const log: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiter = spawn(async () => {
      log.push("wait");
      await cooperate(promise);
      log.push("waited");
    });
    const other = spawn(async () => {
      log.push("other");
      await sleep(0);
      resolve();
    });
    await waiter.join();
    await other.join();
    assertEquals(log, ["wait", "other", "waited"]);
  }));

Deno.test("cooperate() can be killed, and the promise's late error is nobody's business", () =>
  runLoop(async () => {
    const { promise, reject } = Promise.withResolvers<void>();
    const victim = witness(() => cooperate(promise));
    await sleep(0);
    victim.task.kill();
    await victim.task.join();
    assertInstanceOf(errorOf(victim), TaskExit);
    reject(new Error("too late"));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }));

Deno.test("cooperate() times out with TimeoutError", () =>
  runLoop(async () => {
    const never = new Promise<void>(() => {});
    await assertRejects(() => cooperate(never, { timeout: 5 }), TimeoutError);
    await assertRejects(() => cooperate(never, { timeout: 0 }), TimeoutError);
    const bounded = new Timeout(5);
    await assertRejects(() => bounded.run(() => cooperate(never)), Timeout);
  }, { clock: undefined }));

Deno.test("cooperate() is aborted by its signal, with the reason", () =>
  runLoop(async () => {
    const never = new Promise<void>(() => {});
    const controller = new AbortController();
    const waiter = witness(() => cooperate(never, { signal: controller.signal }));
    await sleep(0);
    controller.abort("enough");
    await waiter.task.join();
    assertEquals(errorOf(waiter), "enough");
    const done = Promise.resolve(1);
    const outcome = await outcomeOf(() =>
      cooperate(done, { signal: AbortSignal.abort("already") })
    );
    assertEquals(outcome, { error: "already" });
  }));

Deno.test("cooperate() refuses a wrong timeout, and leaves no unhandled rejection behind", () =>
  runLoop(async () => {
    for (const timeout of [-1, NaN]) {
      await assertRejects(() => cooperate(Promise.reject(new Error("x")), { timeout }), RangeError);
    }
    const text = "5" as unknown as number;
    await assertRejects(() => cooperate(Promise.resolve(), { timeout: text }), TypeError);
    await outcomeOf(() =>
      cooperate(Promise.reject(new Error("x")), { signal: AbortSignal.abort() })
    );
    await new Promise((resolve) => setTimeout(resolve, 1));
  }));

Deno.test("cooperate() is never taken for a deadlock, and run() waits for it", () =>
  withLoop(async (loop) => {
    const log: string[] = [];
    spawn(async () => void log.push(await cooperate(later(() => "cooperating"))));
    // Awaited directly, as code that knows nothing of this library would.
    spawn(async () => void log.push(await later(() => "directly")));
    await loop.run();
    assertEquals(log.toSorted(), ["cooperating", "directly"]);
  }));

Deno.test("a task that awaits a foreign promise directly lets others run", () =>
  runLoop(async () => {
    const log: string[] = [];
    const foreign = witness(async () => {
      await later(() => {});
      log.push("foreign");
    });
    const other = witness(async () => {
      for (let i = 0; i < 3; i++) await sleep(0);
      log.push("other");
    });
    await foreign.task.join();
    await other.task.join();
    valueOf(foreign);
    assertEquals(log, ["other", "foreign"]);
  }));

Deno.test("a task that awaits a foreign promise is killed at its next blocking call", () =>
  runLoop(async () => {
    const log: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const victim = witness(async () => {
      await promise;
      log.push("awaited");
      await sleep(0);
      log.push("never");
    });
    await sleep(0);
    assertEquals(victim.task.signal.aborted, false);
    victim.task.kill();
    assertEquals([victim.task.signal.aborted, victim.task.isAlive()], [true, true]);
    resolve();
    await victim.task.join();
    assertInstanceOf(errorOf(victim), TaskExit);
    assertEquals(log, ["awaited"]);
  }));

Deno.test("cooperate() in two tasks on one promise wakes both, in order", () =>
  runLoop(async () => {
    const { promise, resolve } = Promise.withResolvers<number>();
    const order: number[] = [];
    const tasks = [1, 2, 3].map((i) =>
      spawn(async () => {
        await cooperate(promise);
        order.push(i);
      })
    );
    await sleep(0);
    resolve(1);
    for (const task of tasks) await task.join();
    assertEquals(order, [1, 2, 3]);
  }));
