import { assertEquals, assertThrows } from "@std/assert";
import { BoundedSemaphore, Event, Lock, RuntimeError, Semaphore, sleep, spawn } from "../../mod.ts";
import { runLoop } from "../run_loop.ts";

for (const kind of [Semaphore, BoundedSemaphore]) {
  Deno.test(`${kind.name} has one permit if none are asked for`, () => {
    assertEquals(new kind().value, 1);
    assertEquals(new kind(undefined).value, 1);
  });

  Deno.test(`${kind.name} may start with none, and with many`, () => {
    assertEquals(new kind(0).value, 0);
    assertEquals(new kind(0).tryAcquire(), false);
    assertEquals(new kind(1000).value, 1000);
  });

  Deno.test(`${kind.name} refuses a count that makes no sense`, () => {
    assertThrows(() => new kind(-1), RangeError);
    assertThrows(() => new kind(-Infinity), RangeError);
    assertThrows(() => new kind(NaN), RangeError);
  });

  Deno.test(`${kind.name}.value counts the permits that are left`, () =>
    runLoop(async () => {
      const semaphore = new kind(2);
      const values = [semaphore.value];
      semaphore.tryAcquire();
      values.push(semaphore.value);
      await semaphore.acquire();
      values.push(semaphore.value);
      semaphore.release();
      values.push(semaphore.value);
      assertEquals(values, [2, 1, 0, 1]);
    }));

  Deno.test(`${kind.name}.value stays 0 while permits go from hand to hand`, () =>
    runLoop(async () => {
      const semaphore = new kind(1);
      await semaphore.acquire();
      const waiters = [1, 2].map(() => spawn(() => semaphore.acquire()));
      await sleep(0);
      assertEquals(semaphore.value, 0);
      semaphore.release();
      assertEquals(semaphore.value, 0);
      await waiters[0].join();
      semaphore.release();
      await waiters[1].join();
      assertEquals(semaphore.value, 0);
      semaphore.release();
      assertEquals(semaphore.value, 1);
    }));

  Deno.test(`${kind.name} lets as many through as permits are released, in order`, () =>
    runLoop(async () => {
      const semaphore = new kind(7);
      for (let i = 0; i < 7; i++) semaphore.tryAcquire();
      const through: number[] = [];
      const tasks = Array.from({ length: 10 }, (_, i) =>
        spawn(async () => {
          await semaphore.acquire();
          through.push(i);
        }));
      await sleep(0);
      assertEquals(through, []);
      for (let i = 0; i < 6; i++) semaphore.release();
      await sleep(0);
      assertEquals(through, [0, 1, 2, 3, 4, 5]);
      for (let i = 0; i < 4; i++) semaphore.release();
      for (const task of tasks) await task.join();
      assertEquals(through, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      assertEquals(semaphore.value, 0);
    }));

  Deno.test(`${kind.name} lets no more in at a time than it has permits`, () =>
    runLoop(async () => {
      const semaphore = new kind(3);
      let inside = 0, most = 0;
      const tasks = Array.from({ length: 20 }, (_, i) =>
        spawn(() =>
          semaphore.with(async () => {
            most = Math.max(most, ++inside);
            await sleep(i % 4);
            inside--;
          })
        ));
      for (const task of tasks) await task.join();
      assertEquals([most, inside, semaphore.value], [3, 0, 3]);
    }));
}

Deno.test("Semaphore.release() without an acquire adds a permit", () => {
  const semaphore = new Semaphore(1);
  semaphore.release();
  assertEquals(semaphore.value, 2);
  assertEquals([semaphore.tryAcquire(), semaphore.tryAcquire()], [true, true]);
  assertEquals(semaphore.tryAcquire(), false);
});

Deno.test("BoundedSemaphore.release() over the initial value is a RangeError and adds nothing", () => {
  const semaphore = new BoundedSemaphore(2);
  assertThrows(() => semaphore.release(), RangeError);
  assertEquals(semaphore.value, 2);
  semaphore.tryAcquire();
  semaphore.release();
  assertThrows(() => semaphore.release(), RangeError);
  assertEquals(semaphore.value, 2);
});

Deno.test("BoundedSemaphore(0) can never be released", () => {
  assertThrows(() => new BoundedSemaphore(0).release(), RangeError);
});

Deno.test("BoundedSemaphore counts a permit that is on its way to a waiter as taken", () =>
  runLoop(async () => {
    const semaphore = new BoundedSemaphore(1);
    await semaphore.acquire();
    const waiter = spawn(() => semaphore.acquire());
    await sleep(0);
    semaphore.release();
    // The waiter has not run yet, but the permit is its own: this release would be its release.
    assertEquals(semaphore.value, 0);
    await waiter.join();
    semaphore.release();
    assertThrows(() => semaphore.release(), RangeError);
  }));

Deno.test("Lock is a Semaphore of value 1, or 0 while held", () => {
  const lock = new Lock();
  assertEquals([lock instanceof Semaphore, lock.value], [true, 1]);
  lock.tryAcquire();
  assertEquals(lock.value, 0);
  lock.release();
  assertEquals(lock.value, 1);
});

Deno.test("Lock.release() of a lock that is not held leaves it as it is", () => {
  const lock = new Lock();
  assertThrows(() => lock.release(), RuntimeError);
  assertEquals([lock.value, lock.tryAcquire(), lock.tryAcquire()], [1, true, false]);
});

Deno.test("Semaphore can be released from a callback of the loop", () =>
  runLoop(async (loop) => {
    const semaphore = new Semaphore(0);
    loop.callLater(5, () => semaphore.release());
    assertEquals(await semaphore.acquire(), true);
    assertEquals(await semaphore.acquire({ timeout: 5 }), false);
  }));

Deno.test("a permit given to a task that is killed before it resumes can still be released by it", () =>
  runLoop(async () => {
    const semaphore = new Semaphore(0);
    const killed = new Event();
    const victim = spawn(async () => {
      await semaphore.acquire();
      try {
        await killed.wait();
      } finally {
        semaphore.release();
      }
    });
    await sleep(0);
    semaphore.release();
    victim.kill();
    await victim.join();
    assertEquals(semaphore.value, 1);
  }));
