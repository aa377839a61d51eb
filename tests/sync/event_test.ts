import { assertEquals, assertInstanceOf } from "@std/assert";
import { Event, sleep, spawn, TaskExit } from "../../mod.ts";
import { killAtEveryStep } from "../kill_at_every_step.ts";
import { errorOf, runLoop, valueOf, witness } from "../run_loop.ts";

Deno.test("Event is set and cleared any number of times", () => {
  const event = new Event();
  assertEquals(event.isSet(), false);
  event.set();
  event.set();
  assertEquals(event.isSet(), true);
  event.clear();
  event.clear();
  assertEquals(event.isSet(), false);
});

Deno.test("Event.wait() is true at once while it is set, for everybody", () =>
  runLoop(async () => {
    const event = new Event();
    event.set();
    const waiters = [1, 2, 3].map(() => witness(() => event.wait({ timeout: 0 })));
    for (const waiter of waiters) await waiter.task.join();
    assertEquals(waiters.map(valueOf), [true, true, true]);
    assertEquals(event.isSet(), true);
  }));

Deno.test("Event.set() wakes everybody who waits, again and again", () =>
  runLoop(async () => {
    const event = new Event();
    for (let round = 0; round < 2; round++) {
      const waiters = [1, 2, 3, 4, 5].map(() =>
        witness(async () => [await event.wait(), await event.wait()])
      );
      await sleep(1);
      assertEquals(waiters.some((waiter) => waiter.outcome), false);
      event.set();
      for (const waiter of waiters) {
        await waiter.task.join();
        assertEquals(valueOf(waiter), [true, true]);
      }
      event.clear();
    }
  }));

Deno.test("Event.wait() is true even if the event is cleared before its task resumes", () =>
  runLoop(async () => {
    const event = new Event();
    const waiters = [1, 2, 3].map(() => witness(() => event.wait({ timeout: 100 })));
    await sleep(0);
    event.set();
    event.clear();
    for (const waiter of waiters) await waiter.task.join();
    assertEquals(waiters.map(valueOf), [true, true, true]);
    assertEquals(event.isSet(), false);
  }));

Deno.test("Event.wait() after a set() and clear() waits for the next set()", () =>
  runLoop(async () => {
    const event = new Event();
    event.set();
    event.clear();
    assertEquals(await event.wait({ timeout: 1 }), false);
    const early = witness(() => event.wait());
    await sleep(0);
    event.set();
    event.clear();
    const late = witness(() => event.wait({ timeout: 1 }));
    await late.task.join();
    assertEquals([valueOf(early), valueOf(late)], [true, false]);
  }));

Deno.test("a waiter of an Event may clear it", () =>
  runLoop(async () => {
    const event = new Event();
    const waiter = spawn(async () => {
      await event.wait();
      event.clear();
    });
    spawn(() => event.set());
    await waiter.join();
    assertEquals(event.isSet(), false);
  }));

Deno.test("Event.set() goes to the others when a waiter was killed", () =>
  runLoop(async () => {
    const event = new Event();
    const [a, victim, b] = [1, 2, 3].map(() => witness(() => event.wait()));
    spawn(() => victim.task.kill());
    spawn(() => event.set());
    for (const one of [a, victim, b]) await one.task.join();
    assertEquals([valueOf(a), valueOf(b)], [true, true]);
    assertInstanceOf(errorOf(victim), TaskExit);
    assertEquals(event.isSet(), true);
  }));

Deno.test("Event.set() from a callback of the loop wakes a task", () =>
  runLoop(async (loop) => {
    const event = new Event();
    loop.callLater(5, () => event.set());
    assertEquals(await event.wait({ timeout: 3 }), false);
    assertEquals(await event.wait({ timeout: 3 }), true);
  }));

killAtEveryStep("Event wakes all who wait", {
  make: () => ({ event: new Event(), served: 0 }),
  async victim(state, wait) {
    return await state.event.wait(wait);
  },
  others: [
    async (state) => {
      if (await state.event.wait()) state.served++;
    },
    async (state, step) => {
      for (let i = 0; i < 3; i++) await step();
      state.event.set();
    },
    async (state) => {
      if (await state.event.wait()) state.served++;
    },
  ],
  check: (state) => assertEquals(state.served, 2),
});
