import { assertEquals, assertInstanceOf, assertRejects, assertStrictEquals } from "@std/assert";
import {
  ALL_COMPLETED,
  asCompleted,
  FIRST_COMPLETED,
  FIRST_EXCEPTION,
  Future,
  sleep,
  spawn,
  TaskExit,
  TimeoutError,
  wait,
} from "../../mod.ts";
import { errorOf, outcomeOf, runLoop, valueOf, withLoop, witness } from "../run_loop.ts";

/** A future that gets its value, or its error, after `delay` milliseconds. */
function after(delay: number, value: number | Error): Future<number> {
  const future = new Future<number>();
  spawn(async () => {
    await sleep(delay);
    if (value instanceof Error) future.setException(value);
    else future.setResult(value);
  });
  return future;
}

function done(value: number | Error): Future<number> {
  const future = new Future<number>();
  if (value instanceof Error) future.setException(value);
  else future.setResult(value);
  return future;
}

function cancelled(): Future<number> {
  const future = new Future<number>();
  future.cancel();
  future.setRunningOrNotifyCancel();
  return future;
}

Deno.test("wait() waits until all are done, by default", () =>
  runLoop(async (loop) => {
    const start = loop.time();
    const futures = [after(20, 1), after(10, new RangeError("x")), done(3), cancelled()];
    for (const options of [undefined, { returnWhen: ALL_COMPLETED } as const]) {
      const result = await wait(futures, options);
      assertEquals([result.done.size, result.notDone.size], [4, 0]);
      for (const future of futures) assertEquals(result.done.has(future), true);
    }
    assertEquals(loop.time() - start, 20);
  }));

Deno.test("wait() for the first gives what is done by then", () =>
  runLoop(async (loop) => {
    const start = loop.time();
    const futures = [after(20, 1), after(10, 2), after(1e6, 3)];
    const result = await wait(futures, { returnWhen: FIRST_COMPLETED });
    assertEquals([[...result.done], loop.time() - start], [[futures[1]], 10]);
    assertEquals([...result.notDone], [futures[0], futures[2]]);
    futures.push(done(4), cancelled());
    const again = await wait(futures, { returnWhen: FIRST_COMPLETED });
    assertEquals([[...again.done], loop.time() - start], [
      [futures[1], futures[3], futures[4]],
      10,
    ]);
    const third = await wait([futures[0], futures[2]], { returnWhen: FIRST_COMPLETED });
    assertEquals([[...third.done], loop.time() - start], [[futures[0]], 20]);
    futures[2].addDoneCallback(() => {});
    loop.stop();
  }));

Deno.test("wait() for the first exception does not wait for the rest", () =>
  runLoop(async (loop) => {
    const start = loop.time();
    const futures = [after(10, 1), after(20, new RangeError("x")), after(30, 3)];
    const result = await wait(futures, { returnWhen: FIRST_EXCEPTION });
    assertEquals([result.done, result.notDone], [
      new Set([futures[0], futures[1]]),
      new Set([futures[2]]),
    ]);
    assertEquals(loop.time() - start, 20);
    const failed = done(new RangeError("already"));
    const again = await wait([futures[2], failed], { returnWhen: FIRST_EXCEPTION });
    assertEquals([again.done, loop.time() - start], [new Set([failed]), 20]);
    const none = await wait([after(5, 1), after(10, 2)], { returnWhen: FIRST_EXCEPTION });
    assertEquals([none.done.size, loop.time() - start], [2, 30]);
  }));

Deno.test("wait() gives what is done and what is not when its time has passed", () =>
  runLoop(async (loop) => {
    const start = loop.time();
    const futures = [after(10, 1), after(50, 2), done(3)];
    for (const [timeout, finished] of [[0, [2]], [20, [0, 2]]] as const) {
      const result = await wait(futures, { timeout });
      assertEquals(result.done, new Set(finished.map((i) => futures[i])));
      assertEquals(result.done.size + result.notDone.size, 3);
    }
    assertEquals(loop.time() - start, 20);
  }));

Deno.test("wait() counts a future that is given twice once, and takes any iterable", () =>
  runLoop(async () => {
    const future = after(5, 1);
    const result = await wait(function* () {
      yield future;
      yield future;
    }());
    assertEquals([result.done, result.notDone], [new Set([future]), new Set()]);
  }));

Deno.test("wait() for nothing returns at once", () =>
  runLoop(async () => {
    for (const returnWhen of [FIRST_COMPLETED, FIRST_EXCEPTION, ALL_COMPLETED] as const) {
      assertEquals(await wait([], { returnWhen }), { done: new Set(), notDone: new Set() });
    }
  }));

Deno.test("wait() does not touch its futures when it is killed, aborted or refuses a timeout", () =>
  runLoop(async () => {
    const future = new Future<number>();
    const victim = witness(() => wait([future]));
    await sleep(0);
    victim.task.kill();
    await victim.task.join();
    assertInstanceOf(errorOf(victim), TaskExit);
    const signal = AbortSignal.abort("enough");
    assertEquals(await outcomeOf(() => wait([future], { signal })), { error: "enough" });
    await assertRejects(() => wait([future], { timeout: -1 }), RangeError);
    await assertRejects(() => wait([future], { timeout: NaN }), RangeError);
    const text = "5" as unknown as number;
    await assertRejects(() => wait([future], { timeout: text }), TypeError);
    assertEquals(future.done, false);
    future.setResult(1);
    assertEquals((await wait([future])).done.size, 1);
  }));

Deno.test("asCompleted() gives futures as they are done, those done already first", () =>
  runLoop(async (loop) => {
    const start = loop.time();
    const futures = [
      after(30, 1),
      after(10, 2),
      done(3),
      after(20, new RangeError("x")),
      cancelled(),
    ];
    const order: [number, number][] = [];
    for await (const future of asCompleted(futures)) {
      assertEquals(future.done, true);
      order.push([futures.indexOf(future), loop.time() - start]);
    }
    assertEquals(order.slice(0, 2).toSorted(), [[2, 0], [4, 0]]);
    assertEquals(order.slice(2), [[1, 10], [3, 20], [0, 30]]);
  }));

Deno.test("asCompleted() misses nothing that is done while its reader is busy", () =>
  runLoop(async () => {
    const futures = [after(1, 1), after(2, 2), after(3, 3)];
    const seen: number[] = [];
    for await (const future of asCompleted(futures)) {
      seen.push(await future.get());
      await sleep(10);
    }
    assertEquals(seen, [1, 2, 3]);
  }));

Deno.test("asCompleted() gives a future that is given twice once, and takes any iterable", () =>
  runLoop(async () => {
    const future = after(1, 1);
    const seen: unknown[] = [];
    for await (const one of asCompleted([future, future, future].values())) seen.push(one);
    assertEquals(seen.length, 1);
    assertStrictEquals(seen[0], future);
    for await (const _ of asCompleted([])) throw new Error("There was nothing to wait for");
  }));

Deno.test("asCompleted() throws TimeoutError when its time has passed, from the first call on", () =>
  runLoop(async (loop) => {
    const start = loop.time();
    const futures = [after(5, 1), after(10, 2), after(1e5, 3)];
    const seen: number[] = [];
    await assertRejects(async () => {
      for await (const future of asCompleted(futures, { timeout: 20 })) {
        seen.push(await future.get());
        await sleep(1);
      }
    }, TimeoutError);
    assertEquals([seen, loop.time() - start], [[1, 2], 20]);
    const ready: number[] = [];
    await assertRejects(async () => {
      for await (const future of asCompleted([done(1), futures[2], done(2)], { timeout: 0 })) {
        ready.push(await future.get());
      }
    }, TimeoutError);
    assertEquals(ready, [1, 2]);
  }));

Deno.test("asCompleted() refuses a wrong timeout, and stops at an aborted signal", () =>
  runLoop(async () => {
    const drain = async (options: { timeout?: number; signal?: AbortSignal }) => {
      for await (const _ of asCompleted([done(1)], options));
    };
    await assertRejects(() => drain({ timeout: -1 }), RangeError);
    await assertRejects(() => drain({ timeout: "5" as unknown as number }), TypeError);
    await assertRejects(
      () => drain({ signal: AbortSignal.abort(new RangeError("x")) }),
      RangeError,
    );
  }));

Deno.test("asCompleted() that is left early leaves nothing behind", () =>
  withLoop(async (loop) => {
    const start = loop.time();
    const futures = [done(1), new Future<number>()];
    const seen = witness(async () => {
      for await (const future of asCompleted(futures, { timeout: 1e6 })) return await future.get();
    });
    await loop.run();
    assertEquals([valueOf(seen), loop.time()], [1, start]);
  }));
