import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import {
  after,
  CancelledError,
  Channel,
  ChannelClosed,
  Event,
  Future,
  Queue,
  select,
  ShutDown,
  sleep,
  spawn,
  TaskExit,
  TimeoutError,
} from "../../mod.ts";
import { killAtEveryStep } from "../kill_at_every_step.ts";
import { errorOf, outcomeOf, runLoop, valueOf, withLoop, witness } from "../run_loop.ts";

/** A queue with these items in it. */
function queueOf<T>(...items: T[]): Queue<T> {
  const queue = new Queue<T>();
  for (const item of items) queue.putNowait(item);
  return queue;
}

Deno.test("select() refuses to wait for nothing", () =>
  runLoop(async () => {
    await assertRejects(() => select({}), RangeError);
    await assertRejects(() => select({}, { timeout: 0 }), RangeError);
  }));

Deno.test("select() tells which case it was, and its value", () =>
  runLoop(async () => {
    const future = new Future<string>();
    future.setResult("result");
    const event = new Event();
    event.set();
    const task = spawn(() => {});
    await task.join();
    const receiver = new Channel<number>(), sender = new Channel<number>();
    spawn(() => receiver.send(7));
    spawn(() => sender.receive());
    await sleep(0);
    assertEquals(await select({ a: queueOf(5).getting() }), { key: "a", value: 5 });
    assertEquals(await select({ a: queueOf(5).putting(6) }), { key: "a", value: undefined });
    assertEquals(await select({ a: receiver.receiving() }), { key: "a", value: 7 });
    assertEquals(await select({ a: sender.sending(1) }), { key: "a", value: undefined });
    assertEquals(await select({ a: event.waiting() }), { key: "a", value: true });
    assertEquals(await select({ a: task.joining() }), { key: "a", value: true });
    assertEquals(await select({ a: future.getting() }), { key: "a", value: "result" });
    assertEquals(await select({ a: after(5) }), { key: "a", value: undefined });
  }));

Deno.test("select() tells which case it was and its value, when it had to wait", () =>
  runLoop(async (loop) => {
    const soon = (callback: () => unknown) => loop.callLater(1, () => void callback());
    const future = new Future<string>();
    soon(() => future.setResult("result"));
    assertEquals(await select({ a: future.getting() }), { key: "a", value: "result" });
    const event = new Event();
    soon(() => event.set());
    assertEquals(await select({ a: event.waiting() }), { key: "a", value: true });
    const task = spawn(() => sleep(1));
    assertEquals(await select({ a: task.joining() }), { key: "a", value: true });
    const queue = queueOf<number>(), full = new Queue<number>(1);
    soon(() => queue.putNowait(5));
    assertEquals(await select({ a: queue.getting() }), { key: "a", value: 5 });
    full.putNowait(1);
    soon(() => full.getNowait());
    assertEquals(await select({ a: full.putting(2) }), { key: "a", value: undefined });
    assertEquals(full.getNowait(), 2);
    const channel = new Channel<number>();
    soon(() => channel.trySend(7));
    assertEquals(await select({ a: channel.receiving() }), { key: "a", value: 7 });
    const received: unknown[] = [];
    soon(() => received.push(channel.tryReceive()));
    assertEquals(await select({ a: channel.sending(8) }), { key: "a", value: undefined });
    assertEquals(received, [{ value: 8 }]);
  }));

Deno.test("select() takes the first listed of several that are ready, and only that", () =>
  runLoop(async () => {
    const a = queueOf(1), b = queueOf(2), room = new Queue<number>();
    const event = new Event();
    event.set();
    const cases = () => ({
      b: b.getting(),
      put: room.putting(9),
      event: event.waiting(),
      a: a.getting(),
    });
    assertEquals(await select(cases()), { key: "b", value: 2 });
    assertEquals([a.qsize(), b.qsize(), room.qsize()], [1, 0, 0]);
    assertEquals((await select(cases())).key, "put");
    assertEquals([a.qsize(), room.qsize()], [1, 1]);
    assertEquals((await select({ a: a.getting(), event: event.waiting() })).key, "a");
  }));

Deno.test("select() draws among several that are ready from the seed of the loop", async () => {
  const draw = (seed: number) =>
    runLoop(async () => {
      const keys: string[] = [];
      for (let i = 0; i < 40; i++) {
        const cases = { a: queueOf(1).getting(), b: queueOf(2).getting(), c: after(-1) };
        keys.push((await select(cases)).key);
      }
      return keys.join("");
    }, { seed });
  const [one, again, other] = [await draw(1), await draw(1), await draw(2)];
  assertEquals(one, again);
  assert(one !== other, "Two seeds drew the same 40 times");
  for (const key of ["a", "b"]) assert(one.includes(key), `${key} was never drawn`);
});

Deno.test("select() does not wait if a case is ready, and lets nobody in", () =>
  runLoop(async () => {
    let yielded = false;
    const other = spawn(() => void (yielded = true));
    const never = new Event();
    const value = await select({ never: never.waiting(), got: queueOf(1).getting() }, {
      timeout: 0,
    });
    assertEquals([value.key, yielded], ["got", false]);
    await other.join();
  }));

Deno.test("select() leaves the cases that lost as they were", () =>
  runLoop(async () => {
    const a = queueOf<number>(), b = queueOf<number>(), full = new Queue<number>(1);
    full.putNowait(0);
    const channel = new Channel<number>();
    const selecting = witness(() =>
      select({
        b: b.getting(),
        full: full.putting(9),
        send: channel.sending(9),
        a: a.getting(),
      })
    );
    await sleep(0);
    a.putNowait(1);
    // The others become ready in the same turn, too late.
    b.putNowait(2);
    full.getNowait();
    assertEquals(channel.tryReceive(), null);
    await selecting.task.join();
    assertEquals(valueOf(selecting), { key: "a", value: 1 });
    assertEquals([b.qsize(), full.qsize()], [1, 0]);
    full.taskDone();
    assertEquals(await full.join({ timeout: 0 }), true);
    assertEquals(channel.trySend(1), false);
  }));

Deno.test("select() stands in line like everybody else", () =>
  runLoop(async () => {
    const queue = queueOf<number>(), channel = new Channel<number>();
    const order = [
      witness<unknown>(() => queue.get()),
      witness<unknown>(() => select({ c: channel.receiving(), q: queue.getting() })),
      witness<unknown>(() => queue.get()),
      witness<unknown>(() => select({ q: queue.getting() })),
    ];
    await sleep(0);
    for (const item of [1, 2, 3, 4]) queue.putNowait(item);
    for (const one of order) await one.task.join();
    assertEquals(order.map(valueOf), [1, { key: "q", value: 2 }, 3, { key: "q", value: 4 }]);
    assertEquals(channel.trySend(1), false);
  }));

Deno.test("select() on both sides of a channel meets", () =>
  runLoop(async () => {
    const channel = new Channel<number>();
    const receiver = witness(() => select({ got: channel.receiving() }));
    const sender = witness(() => select({ sent: channel.sending(5) }));
    await receiver.task.join();
    await sender.task.join();
    assertEquals(valueOf(receiver), { key: "got", value: 5 });
    assertEquals(valueOf(sender), { key: "sent", value: undefined });
  }));

Deno.test("select() does not meet itself", () =>
  runLoop(async () => {
    const channel = new Channel<number>();
    await assertRejects(
      () => select({ s: channel.sending(1), r: channel.receiving() }, { timeout: 5 }),
      TimeoutError,
    );
    const alone = witness(() => select({ s: channel.sending(1), r: channel.receiving() }));
    const partner = witness(() => select({ s: channel.sending(2), r: channel.receiving() }));
    await alone.task.join();
    await partner.task.join();
    const keys = [valueOf(alone).key, valueOf(partner).key].toSorted();
    assertEquals(keys, ["r", "s"]);
  }));

Deno.test("select() crossing another select() agrees with it on one exchange", () =>
  runLoop(async () => {
    for (let round = 0; round < 2; round++) {
      const a = new Channel<string>(), b = new Channel<string>();
      const one = () => witness(() => select({ send: a.sending("a"), receive: b.receiving() }));
      const two = () => witness(() => select({ send: b.sending("b"), receive: a.receiving() }));
      const [x, y] = round === 0 ? [one(), two()] : [two(), one()];
      await x.task.join();
      await y.task.join();
      const [first, second] = [valueOf(x), valueOf(y)];
      assert(first.key !== second.key, "Both sent, or both received");
      assert(!a.trySend("left") && !b.trySend("left"));
      assertEquals([a.tryReceive(), b.tryReceive()], [null, null]);
    }
  }));

Deno.test("select() may have the same thing in several cases", () =>
  runLoop(async () => {
    const queue = queueOf<number>();
    const selecting = witness(() => select({ x: queue.getting(), y: queue.getting() }));
    await sleep(0);
    queue.putNowait(1);
    queue.putNowait(2);
    await selecting.task.join();
    assertEquals(valueOf(selecting), { key: "x", value: 1 });
    assertEquals(queue.qsize(), 1);
  }));

Deno.test("select() throws what a case fails with, ready or waited for", () =>
  runLoop(async () => {
    const never = new Event();
    const error = new RangeError("failed");
    const failing = (): [() => void, Parameters<typeof select>[0]["x"], unknown][] => {
      const future = new Future<number>(), cancelled = new Future<number>();
      const channel = new Channel<number>(), closing = new Channel<number>();
      const queue = queueOf<number>(), full = new Queue<number>(1);
      full.putNowait(1);
      return [
        [() => future.setException(error), future.getting(), error],
        [() => cancelled.cancel(), cancelled.getting(), CancelledError],
        [() => channel.close(), channel.receiving(), ChannelClosed],
        [() => closing.close(), closing.sending(1), ChannelClosed],
        [() => queue.shutdown(), queue.getting(), ShutDown],
        [() => full.shutdown(), full.putting(1), ShutDown],
      ];
    };
    for (const before of [true, false]) {
      for (const [fail, selectable, expected] of failing()) {
        if (before) fail();
        const selecting = witness(() => select({ never: never.waiting(), x: selectable }));
        await sleep(0);
        if (!before) fail();
        await selecting.task.join();
        const thrown = errorOf(selecting);
        if (typeof expected === "function") {
          assertInstanceOf(thrown, expected as typeof ChannelClosed);
        } else assertStrictEquals(thrown, expected);
      }
    }
  }));

Deno.test("select() throws an exception that is sent to its receiving case", () =>
  runLoop(async () => {
    const channel = new Channel<number>();
    const selecting = witness(() => select({ got: channel.receiving() }));
    await sleep(0);
    await channel.sendException(new RangeError("sent"));
    await selecting.task.join();
    assertInstanceOf(errorOf(selecting), RangeError);
  }));

Deno.test("select() gives up with TimeoutError, and takes nothing later", () =>
  runLoop(async (loop) => {
    const queue = queueOf<number>(), start = loop.time();
    await assertRejects(() => select({ got: queue.getting() }, { timeout: 10 }), TimeoutError);
    assertEquals(loop.time() - start, 10);
    queue.putNowait(1);
    await sleep(0);
    assertEquals(queue.qsize(), 1);
  }));

Deno.test("after() is a case that is ready after that time", () =>
  runLoop(async (loop) => {
    const never = new Event(), start = loop.time();
    const cases = () => ({ never: never.waiting(), long: after(50), short: after(20) });
    assertEquals(await select(cases()), { key: "short", value: undefined });
    assertEquals(loop.time() - start, 20);
    assertEquals(await outcomeOf(() => select(cases(), { timeout: 10 })).then(Object.keys), [
      "error",
    ]);
    assertEquals(loop.time() - start, 30);
  }));

Deno.test("after() of zero or less is ready at once, but does not overtake what is there", () =>
  runLoop(async (loop) => {
    const never = new Event(), start = loop.time();
    for (const delay of [0, -1]) {
      assertEquals((await select({ n: never.waiting(), t: after(delay) })).key, "t");
      assertEquals((await select({ got: queueOf(1).getting(), t: after(delay) })).key, "got");
    }
    assertEquals(loop.time(), start);
  }));

Deno.test("after() refuses what is no number of milliseconds", () =>
  runLoop(async () => {
    await assertRejects(async () => await select({ t: after(NaN) }), RangeError);
  }));

Deno.test("after() that lost leaves no timer behind", () =>
  withLoop(async (loop) => {
    const start = loop.time();
    const queue = queueOf<number>();
    spawn(() => select({ got: queue.getting(), t: after(1e6) }));
    spawn(() => queue.putNowait(1));
    await loop.run();
    assertEquals(loop.time(), start);
  }));

Deno.test("select() whose task is killed takes nothing", () =>
  runLoop(async () => {
    const queue = queueOf<number>(), channel = new Channel<number>();
    const victim = witness(() =>
      select({ got: queue.getting(), received: channel.receiving(), t: after(1e6) })
    );
    await sleep(0);
    victim.task.kill();
    queue.putNowait(1);
    assertEquals(channel.trySend(1), false);
    await victim.task.join();
    assertInstanceOf(errorOf(victim), TaskExit);
    assertEquals(queue.qsize(), 1);
  }));

interface State {
  readonly queue: Queue<number>;
  readonly channel: Channel<number>;
  readonly sent: number[];
  readonly got: number[];
}

killAtEveryStep<State>("select() loses nothing of what it chooses from", {
  make: () => ({ queue: new Queue(2), channel: new Channel(), sent: [], got: [] }),
  async victim(state, wait) {
    try {
      for (let i = 0; i < 4; i++) {
        const cases = { q: state.queue.getting(), c: state.channel.receiving() };
        state.got.push((await select(cases, wait)).value);
      }
    } catch (error) {
      if (!(error instanceof ShutDown || error instanceof ChannelClosed)) throw error;
    }
  },
  others: [
    async (state) => {
      for await (const item of state.queue) state.got.push(item);
    },
    async (state, step) => {
      for (let i = 0; i < 6; i++) {
        await state.queue.put(i);
        state.sent.push(i);
        await state.channel.send(10 + i);
        state.sent.push(10 + i);
        if (i % 2) await step();
      }
      state.queue.shutdown();
      state.channel.close();
    },
    async (state) => {
      for await (const item of state.channel) state.got.push(item);
    },
  ],
  check: (state) => assertEquals(state.got.toSorted(), state.sent.toSorted()),
});

killAtEveryStep<State>("select() sends exactly what it says it has sent", {
  make: () => ({ queue: new Queue(1), channel: new Channel(), sent: [], got: [] }),
  async victim(state, wait) {
    for (let i = 0; i < 4; i++) {
      const cases = { q: state.queue.putting(100 + i), c: state.channel.sending(200 + i) };
      const { key } = await select(cases, wait);
      state.sent.push((key === "q" ? 100 : 200) + i);
    }
  },
  others: [
    async (state) => {
      for (let i = 0; i < 3; i++) {
        await state.queue.put(i);
        state.sent.push(i);
      }
    },
    async (state, step) => {
      for (let idle = 0; idle < 8; idle++) {
        await step();
        while (!state.queue.empty()) {
          state.got.push(state.queue.getNowait());
          idle = 0;
        }
        const received = state.channel.tryReceive();
        if (received) state.got.push(received.value);
        if (received) idle = 0;
      }
    },
    async (state) => {
      for (let i = 10; i < 13; i++) {
        await state.channel.send(i);
        state.sent.push(i);
      }
    },
  ],
  check: (state) => assertEquals(state.got.toSorted(), state.sent.toSorted()),
});
