import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  Barrier,
  BrokenBarrierError,
  RuntimeError,
  sleep,
  spawn,
  TaskExit,
  type WaitOptions,
} from "../../mod.ts";
import { killAtEveryStep } from "../kill_at_every_step.ts";
import { dropLoop, errorOf, outcomeOf, runLoop, valueOf, witness } from "../run_loop.ts";

/** `n` tasks that wait at `barrier`. */
function parties(barrier: Barrier, n: number, options?: WaitOptions) {
  return Array.from({ length: n }, () => witness(() => barrier.wait(options)));
}

async function joinAll(witnesses: ReturnType<typeof parties>) {
  for (const one of witnesses) await one.task.join();
}

Deno.test("Barrier refuses a number of parties that makes no sense", () => {
  for (const wrong of [0, -1, NaN]) assertThrows(() => new Barrier(wrong), RangeError);
});

Deno.test("Barrier has nobody waiting and is whole at first", () => {
  const barrier = new Barrier(3);
  assertEquals([barrier.parties, barrier.waiting, barrier.broken], [3, 0, false]);
});

Deno.test("Barrier lets nobody through before all have come", () =>
  runLoop(async () => {
    const barrier = new Barrier(3);
    const early = parties(barrier, 2);
    await sleep(100);
    assertEquals([barrier.waiting, early.some((one) => one.outcome)], [2, false]);
    const last = parties(barrier, 1);
    await joinAll([...early, ...last]);
    assertEquals(barrier.waiting, 0);
  }));

Deno.test("Barrier.wait() gives each party another number, from 0 to parties - 1", () =>
  runLoop(async () => {
    const barrier = new Barrier(5);
    for (let round = 0; round < 3; round++) {
      const all = parties(barrier, 5);
      await joinAll(all);
      assertEquals(all.map(valueOf).sort(), [0, 1, 2, 3, 4]);
    }
  }));

Deno.test("Barrier keeps its parties in step, however often it is used", () =>
  runLoop(async () => {
    const barrier = new Barrier(4);
    const before: number[] = [], after: number[] = [];
    const tasks = [0, 1, 2, 3].map((i) =>
      witness(async () => {
        for (let round = 0; round < 10; round++) {
          await sleep((i * 7 + round) % 5);
          before.push(i);
          assertEquals(after.length, round * 4);
          await barrier.wait();
          after.push(i);
          assertEquals(before.length, (round + 1) * 4);
          await barrier.wait();
        }
      })
    );
    for (const one of tasks) {
      await one.task.join();
      valueOf(one);
    }
    assertEquals([barrier.waiting, barrier.broken], [0, false]);
  }));

Deno.test("Barrier of one lets its party through without waiting", () =>
  runLoop(async () => {
    const barrier = new Barrier(1);
    let yielded = false;
    spawn(() => void (yielded = true));
    assertEquals([await barrier.wait(), await barrier.wait({ timeout: 0 })], [0, 0]);
    assertEquals(yielded, false);
  }));

Deno.test("Barrier calls its action once a round, before anybody is through", () =>
  runLoop(async () => {
    const log: string[] = [];
    const barrier = new Barrier(3, { action: () => void log.push("action") });
    for (let round = 0; round < 2; round++) {
      const tasks = [1, 2, 3].map(() =>
        spawn(async () => {
          await barrier.wait();
          log.push("through");
        })
      );
      for (const task of tasks) await task.join();
    }
    const once = ["action", "through", "through", "through"];
    assertEquals(log, [...once, ...once]);
  }));

Deno.test("Barrier breaks when its action throws, and the last party gets the error", () =>
  runLoop(async () => {
    const thrown = new RangeError("no action");
    const barrier = new Barrier(3, {
      action: () => {
        throw thrown;
      },
    });
    const early = parties(barrier, 2);
    await sleep(0);
    const last = witness(() => barrier.wait());
    await joinAll([...early, last]);
    assertStrictEquals(errorOf(last), thrown);
    for (const one of early) assertInstanceOf(errorOf(one), BrokenBarrierError);
    assertEquals(barrier.broken, true);
  }));

Deno.test("Barrier.abort() breaks it for who waits and for who comes", () =>
  runLoop(async () => {
    const barrier = new Barrier(3);
    const waiting = parties(barrier, 2);
    await sleep(0);
    barrier.abort();
    await joinAll(waiting);
    for (const one of waiting) assertInstanceOf(errorOf(one), BrokenBarrierError);
    assertEquals([barrier.broken, barrier.waiting], [true, 0]);
    await assertRejects(() => barrier.wait(), BrokenBarrierError);
    await assertRejects(() => barrier.wait({ timeout: 0 }), BrokenBarrierError);
    assert(new BrokenBarrierError() instanceof RuntimeError);
  }));

Deno.test("Barrier.reset() sends away who waits, and it is whole for who comes", () =>
  runLoop(async () => {
    const barrier = new Barrier(3);
    const waiting = parties(barrier, 2);
    await sleep(0);
    barrier.reset();
    assertEquals([barrier.broken, barrier.waiting], [false, 0]);
    const fresh = parties(barrier, 3);
    await joinAll([...waiting, ...fresh]);
    for (const one of waiting) assertInstanceOf(errorOf(one), BrokenBarrierError);
    assertEquals(fresh.map(valueOf).sort(), [0, 1, 2]);
    assertEquals(barrier.broken, false);
  }));

Deno.test("Barrier.reset() of a barrier nobody waits at leaves it as it is", () =>
  runLoop(async () => {
    const barrier = new Barrier(2);
    barrier.reset();
    assertEquals(barrier.broken, false);
    const all = parties(barrier, 2);
    await joinAll(all);
    assertEquals(all.map(valueOf).sort(), [0, 1]);
  }));

Deno.test("Barrier.reset() mends a broken one", () =>
  runLoop(async () => {
    const barrier = new Barrier(2);
    barrier.abort();
    assertEquals(barrier.broken, true);
    barrier.reset();
    assertEquals(barrier.broken, false);
    const all = parties(barrier, 2);
    await joinAll(all);
    assertEquals(all.map(valueOf).sort(), [0, 1]);
  }));

Deno.test("Barrier breaks for all when the time of one party has passed", () =>
  runLoop(async (loop) => {
    const barrier = new Barrier(4);
    const patient = parties(barrier, 2);
    const start = loop.time();
    const impatient = witness(() => barrier.wait({ timeout: 30 }));
    await joinAll([impatient, ...patient]);
    assertEquals(loop.time() - start, 30);
    for (const one of [impatient, ...patient]) {
      assertInstanceOf(errorOf(one), BrokenBarrierError);
    }
    assertEquals([barrier.broken, barrier.waiting], [true, 0]);
    await assertRejects(() => barrier.wait(), BrokenBarrierError);
  }));

Deno.test("Barrier's own timeout holds for whoever gives none", () =>
  runLoop(async (loop) => {
    const barrier = new Barrier(3, { timeout: 30 });
    const start = loop.time();
    const all = parties(barrier, 2);
    await joinAll(all);
    assertEquals(loop.time() - start, 30);
    for (const one of all) assertInstanceOf(errorOf(one), BrokenBarrierError);
  }));

Deno.test("Barrier's own timeout gives way to that of the call", () =>
  runLoop(async (loop) => {
    const barrier = new Barrier(2, { timeout: 30 });
    const start = loop.time();
    const one = witness(() => barrier.wait({ timeout: 100 }));
    await one.task.join();
    assertEquals(loop.time() - start, 100);
    assertEquals(barrier.broken, true);
  }));

Deno.test("Barrier refuses a wrong timeout of its own, when made or when waited at", () =>
  runLoop(async () => {
    const wrong = [[-1, RangeError], [NaN, RangeError], ["5", TypeError]] as const;
    for (const [timeout, errorClass] of wrong) {
      await assertRejects(async () => {
        await new Barrier(2, { timeout: timeout as number }).wait();
      }, errorClass);
    }
  }));

Deno.test("Barrier.wait() breaks nothing when it is refused a wrong timeout", () =>
  runLoop(async () => {
    const barrier = new Barrier(2);
    const waiting = witness(() => barrier.wait());
    await sleep(0);
    await assertRejects(() => barrier.wait({ timeout: -1 }), RangeError);
    await assertRejects(() => barrier.wait({ timeout: NaN }), RangeError);
    const text = "5" as unknown as number;
    await assertRejects(() => barrier.wait({ timeout: text }), TypeError);
    assertEquals([barrier.broken, barrier.waiting, waiting.outcome], [false, 1, undefined]);
    await barrier.wait();
    await waiting.task.join();
    valueOf(waiting);
  }));

Deno.test("Barrier.wait() with timeout 0 breaks it, unless it is the last", () =>
  runLoop(async () => {
    const barrier = new Barrier(2);
    const waiting = witness(() => barrier.wait());
    await sleep(0);
    await barrier.wait({ timeout: 0 });
    await waiting.task.join();
    valueOf(waiting);
    assertEquals(barrier.broken, false);
    await assertRejects(() => barrier.wait({ timeout: 0 }), BrokenBarrierError);
    assertEquals(barrier.broken, true);
  }));

for (const blow of ["killed", "aborted"] as const) {
  Deno.test(`Barrier stays whole when a party is ${blow}, and waits for another`, () =>
    runLoop(async () => {
      const barrier = new Barrier(3);
      const controller = new AbortController();
      const staying = witness(() => barrier.wait());
      const victim = witness(() => barrier.wait({ signal: controller.signal }));
      await sleep(0);
      assertEquals(barrier.waiting, 2);
      const reason = new RangeError("enough");
      if (blow === "killed") victim.task.kill();
      else controller.abort(reason);
      assertEquals(barrier.waiting, 1);
      await victim.task.join();
      assertInstanceOf(errorOf(victim), blow === "killed" ? TaskExit : RangeError);
      assertEquals([barrier.broken, staying.outcome], [false, undefined]);
      const rest = parties(barrier, 2);
      await joinAll([staying, ...rest]);
      assertEquals([staying, ...rest].map(valueOf).sort(), [0, 1, 2]);
    }));
}

Deno.test("Barrier does not count a party whose signal is aborted already", () =>
  runLoop(async () => {
    const barrier = new Barrier(2);
    const waiting = witness(() => barrier.wait());
    await sleep(0);
    const reason = new RangeError("enough");
    const outcome = await outcomeOf(() => barrier.wait({ signal: AbortSignal.abort(reason) }));
    assertEquals(outcome, { error: reason });
    assertEquals([barrier.waiting, waiting.outcome], [1, undefined]);
    await barrier.wait();
    await waiting.task.join();
    valueOf(waiting);
  }));

Deno.test("Barrier lets through a party that is killed in the turn in which the last one comes", () =>
  runLoop(async () => {
    const barrier = new Barrier(2);
    const victim = witness(async () => {
      const first = await outcomeOf(() => barrier.wait());
      return { first, second: await outcomeOf(() => sleep(0)) };
    });
    await sleep(0);
    const last = barrier.wait();
    victim.task.kill();
    await last;
    await victim.task.join();
    const { first, second } = valueOf(victim);
    assert("value" in first);
    assertInstanceOf("error" in second ? second.error : undefined, TaskExit);
  }));

Deno.test("Barrier can be waited at outside every task", async () => {
  dropLoop();
  try {
    const barrier = new Barrier(2);
    const other = witness(() => barrier.wait());
    const mine = await barrier.wait();
    await other.task.join();
    assertEquals([mine, valueOf(other)].sort(), [0, 1]);
  } finally {
    dropLoop();
  }
});

killAtEveryStep("Barrier is passed by the others, as soon as there are enough", {
  make: () => ({ barrier: new Barrier(3), through: 0, broken: 0 }),
  async victim(state, wait) {
    try {
      await state.barrier.wait(wait);
    } catch (error) {
      if (error instanceof BrokenBarrierError) return false;
      throw error;
    }
  },
  others: Array.from({ length: 3 }, (_, i) => async (state: State, step: () => Promise<void>) => {
    for (let n = 0; n < 2 * i; n++) await step();
    try {
      // Whoever comes after the others have gone would wait for ever.
      if (state.through < 2) await state.barrier.wait();
      state.through++;
    } catch (error) {
      if (!(error instanceof BrokenBarrierError)) throw error;
      state.broken++;
    }
  }),
  check(state) {
    assertEquals(state.through + state.broken, 3);
    assertEquals(state.barrier.waiting, 0);
    assertEquals(state.broken > 0, state.barrier.broken);
  },
});

interface State {
  readonly barrier: Barrier;
  through: number;
  broken: number;
}
