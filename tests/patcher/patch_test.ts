import { types } from "node:util";
import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { isPatched, lib, patch, patched, sleep, spawn, Timeout, unpatch } from "../../mod.ts";
import { errorOf, runLoop, witness } from "../run_loop.ts";
import { runProgram } from "../run_program.ts";

const platform = {
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  fetch: globalThis.fetch,
  connect: Deno.connect,
  Promise: globalThis.Promise,
};

/** Runs `body` and puts everything back. */
async function restoring(body: () => unknown): Promise<void> {
  try {
    await body();
  } finally {
    unpatch();
  }
  assertUnpatched();
}

function assertUnpatched(): void {
  assertStrictEquals(globalThis.setTimeout, platform.setTimeout);
  assertStrictEquals(globalThis.clearTimeout, platform.clearTimeout);
  assertStrictEquals(globalThis.fetch, platform.fetch);
  assertStrictEquals(Deno.connect, platform.connect);
  assertStrictEquals(globalThis.Promise, platform.Promise);
}

Deno.test("patch() of nothing named patches all, any number of times, and unpatch() undoes it", () =>
  restoring(() => {
    patch();
    patch();
    for (const module of ["socket", "time", "fetch"] as const) assert(isPatched(module), module);
    assertStrictEquals(globalThis.setTimeout, lib.time.setTimeout);
    unpatch();
    for (const module of ["socket", "time", "fetch"] as const) assert(!isPatched(module), module);
    assertUnpatched();
    unpatch();
  }));

Deno.test("patch() patches what is named, and a false wins over all", () =>
  restoring(() => {
    patch({ time: true });
    assertEquals([isPatched("time"), isPatched("fetch")], [true, false]);
    assertStrictEquals(globalThis.fetch, platform.fetch);
    unpatch();
    patch({ all: true, time: false });
    assertEquals([isPatched("time"), isPatched("fetch"), isPatched("socket")], [false, true, true]);
    unpatch({ fetch: true });
    assertEquals([isPatched("fetch"), isPatched("socket")], [false, true]);
    unpatch({ all: true });
    patch({ fetch: false });
    assertEquals([isPatched("time"), isPatched("fetch")], [true, false]);
  }));

Deno.test("an unknown module is a TypeError, and nothing is patched", () =>
  restoring(() => {
    for (const call of [patch, unpatch, patched]) {
      assertThrows(() => call({ time: true, tiem: true } as never), TypeError, 'module "tiem"');
      assertThrows(() => call({ time: 1 } as never), TypeError, "time must be true or false");
      assertThrows(() => call("time" as never), TypeError, "Cannot");
    }
    assertThrows(() => isPatched("tiem" as never), TypeError, 'no module "tiem"');
    assertThrows(() => isPatched("all" as never), TypeError, 'no module "all"');
    assert(!isPatched("time"));
  }));

Deno.test("patched() puts back what it has patched, and nothing else", () =>
  restoring(() => {
    patch({ fetch: true });
    {
      using _ = patched({ time: true, fetch: true });
      assertEquals([isPatched("time"), isPatched("fetch")], [true, true]);
    }
    assertEquals([isPatched("time"), isPatched("fetch")], [false, true]);
    const once = patched({ time: true });
    once[Symbol.dispose]();
    patch({ time: true });
    once[Symbol.dispose]();
    assert(isPatched("time"));
  }));

Deno.test("scopes of patched() may overlap: what one needs is there until it ends", () =>
  restoring(() =>
    runLoop(async () => {
      const log: boolean[] = [];
      const scoped = async (start: number, end: number) => {
        await sleep(start);
        {
          using _ = patched({ time: true });
          await sleep(end - start);
          log.push(isPatched("time"));
        }
        log.push(isPatched("time"));
      };
      const tasks = [spawn(scoped, 0, 10), spawn(scoped, 5, 20)];
      for (const task of tasks) await task.join();
      assertEquals(log, [true, true, true, false]);
      const scope = patched();
      patch({ fetch: true });
      unpatch({ time: true });
      patch({ time: true });
      scope[Symbol.dispose]();
      assertEquals(
        [isPatched("time"), isPatched("fetch"), isPatched("socket")],
        [true, true, false],
      );
    })
  ));

Deno.test("with time patched, timers follow the loop's clock", () =>
  restoring(() =>
    runLoop(async (loop) => {
      patch({ time: true });
      await new Promise((resolve) => setTimeout(resolve, 3_600_000));
      assertEquals(loop.time(), 3_600_000);
    })
  ));

Deno.test("with time patched, a task that waits for a timer is killed at once", () =>
  restoring(() =>
    runLoop(async (loop) => {
      patch({ time: true });
      let cleaned = false;
      const task = spawn(async () => {
        try {
          await new Promise((resolve) => setTimeout(resolve, 3_600_000));
        } finally {
          cleaned = true;
        }
      });
      await sleep(1);
      task.kill();
      assert(await task.join());
      assertEquals([cleaned, loop.time()], [true, 1]);
    }).then(() => {})
  ));

Deno.test("with time patched, a task that waits for a timer is timed out", () =>
  restoring(() =>
    runLoop(async (loop) => {
      patch({ time: true });
      const timeout = new Timeout(5);
      const seen = witness(() =>
        timeout.run(() => new Promise((resolve) => setTimeout(resolve, 3_600_000)))
      );
      await seen.task.join();
      assertStrictEquals(errorOf(seen), timeout);
      assertEquals(loop.time(), 5);
    })
  ));

Deno.test("with time patched, what is chained to a timer's promise is waited for, too", () =>
  restoring(() =>
    runLoop(async (loop) => {
      patch({ time: true });
      const later = () => new Promise<number>((resolve) => setTimeout(resolve, 100, 1));
      assertEquals(await later().then((n) => n + 1).finally(() => {}), 2);
      const log: string[] = [];
      const task = spawn(() => Promise.race([later().finally(() => log.push("ran")), later()]));
      await sleep(1);
      task.kill();
      await task.join();
      assertEquals([log, loop.time()], [[], 101]);
    })
  ));

Deno.test("with time patched, other promises are the platform's own", () =>
  restoring(async () => {
    const before = Promise.resolve(1);
    patch({ time: true });
    const promise = new Promise<number>((resolve) => resolve(1));
    // Theirs is the constructor of the platform, which `await` looks for.
    assertStrictEquals(promise.constructor, platform.Promise);
    for (const each of [promise, before, (async () => {})(), Promise.resolve(), Promise.all([])]) {
      assert(each instanceof Promise);
      assert(each instanceof platform.Promise);
    }
    assertStrictEquals(Promise.prototype, platform.Promise.prototype);
    assertStrictEquals(Promise.resolve(promise), promise);
    assertEquals([Promise.name, Promise.length], ["Promise", 1]);
    assertEquals(await Promise.all([promise, 2]), [1, 2]);
    assertThrows(() => Reflect.construct(Promise, []), TypeError);
    assertThrows(() => (Promise as unknown as () => void)(), TypeError);
    await assertRejects(() => Promise.reject(new RangeError("x")), RangeError);
  }));

Deno.test("with time patched, a promise with a timer is as good as any other", () =>
  restoring(() =>
    runLoop(async () => {
      patch({ time: true });
      const later = <T>(value: T) => new Promise<T>((resolve) => setTimeout(resolve, 1, value));
      const fails = () => new Promise<never>((_, reject) => setTimeout(reject, 1, new Error("x")));
      const promise = later(5);
      assert(promise instanceof Promise && promise instanceof platform.Promise);
      assertStrictEquals(promise.constructor, Promise);
      assertStrictEquals(Promise.resolve(promise), promise);
      assert(types.isPromise(promise));
      assertEquals([String(promise), Reflect.ownKeys(promise)], ["[object Promise]", []]);
      assertThrows(() => structuredClone(promise), DOMException);
      assertEquals(await Promise.all([promise, 2, later(3)]), [5, 2, 3]);
      assertEquals(await Promise.race([promise, later(1)]), 5);
      assertEquals(await Promise.any([fails(), promise]), 5);
      const settled = await Promise.allSettled([promise, fails()]);
      assertEquals(settled.map(({ status }) => status), ["fulfilled", "rejected"]);
      assertEquals(await promise.then((n) => n + 1), 6);
      assertEquals(await promise.then(null, undefined), 5);
      assertEquals(await fails().catch((error) => error.message), "x");
      assertEquals(await promise.finally(() => 1), 5);
      await assertRejects(() => promise.finally(() => fails()), Error, "x");
      await assertRejects(() => later(1).finally(undefined).then(fails), Error, "x");
      assertEquals(await later(later(later(7))), 7);
      assertEquals(await new Promise((resolve) => resolve(promise)), 5);
      const thrown = new Promise(() => {
        setTimeout(() => {}, 1);
        throw new Error("in the executor");
      });
      await assertRejects(() => thrown, Error, "in the executor");
    })
  ));

Deno.test("with time patched, classes that inherit from Promise make their own", () =>
  restoring(() =>
    runLoop(async () => {
      class Before extends platform.Promise<number> {}
      patch({ time: true });
      class Own extends Promise<number> {
        get double(): Promise<number> {
          return this.then((n) => 2 * n);
        }
      }
      const own = new Own((resolve) => setTimeout(resolve, 1, 21));
      assert(own instanceof Own && own instanceof Promise && own.double instanceof Own);
      assertEquals([await own, await own.double], [21, 42]);
      assert(Own.resolve(1) instanceof Own && Own.all([own]) instanceof Own);
      await assertRejects(() => Own.reject(new Error("x")), Error, "x");
      const before = new Before((resolve) => setTimeout(resolve, 1, 1));
      assert(before.then(() => {}) instanceof Before && before instanceof Promise);
      assertEquals(await before, 1);
      // The platform's clock: what they wait for is not the loop's.
    }, { clock: undefined })
  ));

Deno.test("with time patched, a failure that nobody looks at is an unhandled rejection, and only that", async () => {
  const { code, stdout, stderr } = await runProgram(`
    import { patch } from "./mod.ts";
    patch({ time: true });
    addEventListener("unhandledrejection", (event) => {
      event.preventDefault();
      console.log(event.reason.message);
    });
    const fails = (message) => new Promise((_, reject) => setTimeout(reject, 1, new Error(message)));
    fails("handled").catch(() => {});
    fails("awaited").then(() => {}).catch(() => {});
    try {
      await fails("caught");
    } catch {
      // That was to be.
    }
    fails("nobody's");
    await new Promise((resolve) => setTimeout(resolve, 20));
  `);
  assertEquals({ code, stdout, stderr }, { code: 0, stdout: "nobody's\n", stderr: "" });
});

Deno.test("a timer that was started before goes on, and is cleared by the new function", () =>
  restoring(async () => {
    const before = setTimeout(() => {
      throw new Error("This was to be cleared");
    }, 1);
    const { promise, resolve } = Promise.withResolvers<void>();
    setTimeout(resolve, 5);
    patch({ time: true });
    clearTimeout(before);
    await promise;
  }));

Deno.test("a timer that was started while time was patched goes on after unpatch()", () =>
  restoring(() =>
    runLoop(async () => {
      patch({ time: true });
      let called = false;
      setTimeout(() => called = true, 10);
      const cancelled = setTimeout(() => {
        throw new Error("This was to be cleared");
      }, 10);
      unpatch();
      lib.time.clearTimeout(cancelled);
      await sleep(20);
      assert(called);
    })
  ));
