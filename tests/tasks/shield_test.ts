import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { current, Event, Lock, Queue, shield, sleep, spawn, TaskExit, Timeout } from "../../mod.ts";
import { errorOf, outcomeOf, runLoop, valueOf, witness } from "../run_loop.ts";

Deno.test("shield() gives the value of its body, or throws its error", () =>
  runLoop(async () => {
    assertEquals(await shield(() => sleep(1).then(() => 1)), 1);
    assertEquals(await shield(() => 2), 2);
    await assertRejects(() => shield(() => Promise.reject(new RangeError("x"))), RangeError);
    await assertRejects(() =>
      shield(() => {
        throw new RangeError("x");
      }), RangeError);
  }));

Deno.test("a kill waits until the body of shield() has ended", () =>
  runLoop(async (loop) => {
    const start = loop.time();
    const log: string[] = [];
    const victim = witness(async () => {
      await shield(async () => {
        await sleep(10);
        log.push("half");
        await sleep(10);
        log.push("whole");
      });
      await sleep(0);
      log.push("never");
    });
    await sleep(5);
    victim.task.kill();
    await victim.task.join();
    assertEquals([log, loop.time() - start], [["half", "whole"], 20]);
    assertInstanceOf(errorOf(victim), TaskExit);
  }));

Deno.test("a Timeout waits until the body of shield() has ended", () =>
  runLoop(async (loop) => {
    const start = loop.time();
    let ended = false;
    const timeout = new Timeout(5);
    const error = await assertRejects(() =>
      timeout.run(async () => {
        await shield(async () => {
          await sleep(10);
          ended = true;
        });
        await sleep(1e6);
      })
    );
    assertStrictEquals(error, timeout);
    assertEquals([ended, loop.time() - start], [true, 10]);
  }));

Deno.test("a kill waits for the outermost of nested shields", () =>
  runLoop(async () => {
    const log: string[] = [];
    const victim = witness(async () => {
      await shield(async () => {
        await shield(() => sleep(10));
        log.push("inner ended");
        await sleep(10);
        log.push("outer ended");
      });
      await sleep(1e6);
    });
    await sleep(5);
    victim.task.kill();
    await victim.task.join();
    assertEquals(log, ["inner ended", "outer ended"]);
    assertInstanceOf(errorOf(victim), TaskExit);
  }));

Deno.test("timeouts and signals of the calls within shield() work as ever", () =>
  runLoop(async () => {
    const value = await shield(async () => {
      assertEquals(await new Event().wait({ timeout: 5 }), false);
      await assertRejects(
        () => new Queue().get({ signal: AbortSignal.abort(new RangeError("x")) }),
        RangeError,
      );
      assertEquals(await new Timeout(5, false).run(() => sleep(1)) ?? "in time", "in time");
      return "value";
    });
    assertEquals(value, "value");
  }));

Deno.test("a kill that came before shield() waits for it, too, or spares it altogether", () =>
  runLoop(async () => {
    const log: string[] = [];
    const victim = witness(async () => {
      current.task.kill();
      await shield(async () => {
        log.push("begun");
        await sleep(10);
        log.push("ended");
      });
      await sleep(0);
      log.push("never");
    });
    await victim.task.join();
    assertInstanceOf(errorOf(victim), TaskExit);
    assert([0, 2].includes(log.length), "The body was broken off");
  }));

Deno.test("shield() lets cleaning up be finished", () =>
  runLoop(async () => {
    const lock = new Lock();
    let saved = false;
    const victim = spawn(async () => {
      await lock.acquire();
      try {
        await sleep(1e6);
      } finally {
        await shield(async () => {
          await sleep(10);
          saved = true;
        });
        lock.release();
      }
    });
    await sleep(0);
    victim.kill();
    await sleep(5);
    victim.kill();
    await victim.join();
    assertEquals([saved, lock.tryAcquire()], [true, true]);
  }));

Deno.test("shield() without a kill leaves nothing behind", () =>
  runLoop(async () => {
    const unharmed = witness(async () => {
      await shield(() => sleep(1));
      await sleep(1);
      return await outcomeOf(() => new Event().wait({ timeout: 1 }));
    });
    await unharmed.task.join();
    assertEquals(valueOf(unharmed), { value: false });
  }));
