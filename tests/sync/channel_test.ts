import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import {
  Channel,
  ChannelClosed,
  RuntimeError,
  sleep,
  spawn,
  TaskExit,
  TimeoutError,
} from "../../mod.ts";
import { killAtEveryStep } from "../kill_at_every_step.ts";
import { errorOf, outcomeOf, runLoop, valueOf, witness } from "../run_loop.ts";

Deno.test("Channel carries a value from a sender to a receiver, whoever comes first", () =>
  runLoop(async () => {
    for (const senderFirst of [true, false]) {
      const channel = new Channel<string>();
      const sender = () => witness(() => channel.send("value"));
      const early = senderFirst && sender();
      await sleep(0);
      const receiver = witness(() => channel.receive());
      await sleep(0);
      const send = early || sender();
      await receiver.task.join();
      await send.task.join();
      assertEquals([valueOf(receiver), valueOf(send)], ["value", undefined]);
    }
  }));

Deno.test("Channel.send() is done only when a receiver has the value", () =>
  runLoop(async () => {
    const channel = new Channel<number>();
    const sender = witness(() => channel.send(1));
    await sleep(100);
    assertEquals([sender.outcome, sender.task.state], [undefined, "waiting"]);
    assertEquals(await channel.receive(), 1);
    await sender.task.join();
    valueOf(sender);
  }));

Deno.test("Channel gives values to receivers in the order of asking", () =>
  runLoop(async () => {
    const channel = new Channel<string>();
    const receivers = [1, 2].map(() => witness(() => channel.receive()));
    await sleep(0);
    await channel.send("hello");
    await channel.send("world");
    for (const receiver of receivers) await receiver.task.join();
    assertEquals(receivers.map(valueOf), ["hello", "world"]);
  }));

Deno.test("Channel takes values of senders in the order of asking", () =>
  runLoop(async () => {
    const channel = new Channel<number>();
    const senders = [1, 2, 3].map((i) => witness(() => channel.send(i)));
    await sleep(0);
    const got = [await channel.receive(), await channel.receive(), await channel.receive()];
    for (const sender of senders) await sender.task.join();
    assertEquals(got, [1, 2, 3]);
  }));

Deno.test("Channel lets nobody barge in before a sender or receiver that waits", () =>
  runLoop(async () => {
    const channel = new Channel<number>();
    const receiver = witness(() => channel.receive());
    await sleep(0);
    assertEquals(channel.trySend(1), true);
    // The receiver has not run yet, but it has its value.
    assertEquals([channel.trySend(2), channel.tryReceive()], [false, null]);
    await receiver.task.join();
    assertEquals(valueOf(receiver), 1);
  }));

Deno.test("Channel.trySend() and tryReceive() succeed only if somebody waits", () =>
  runLoop(async () => {
    const channel = new Channel<number | undefined>();
    assertEquals([channel.trySend(1), channel.tryReceive()], [false, null]);
    const sender = witness(() => channel.send(undefined));
    await sleep(0);
    assertEquals(channel.trySend(2), false);
    assertEquals(channel.tryReceive(), { value: undefined });
    assertEquals(channel.tryReceive(), null);
    await sender.task.join();
    valueOf(sender);
  }));

Deno.test("Channel.sendException() throws from that receive(), and the sender goes on", () =>
  runLoop(async () => {
    const channel = new Channel<number>();
    for (const error of [new RuntimeError("sent"), "any value"]) {
      const receiver = witness(() => channel.receive());
      await sleep(0);
      await channel.sendException(error);
      await receiver.task.join();
      assertStrictEquals(errorOf(receiver), error);
    }
    const sender = witness(() => channel.sendException(new RangeError("first")));
    const next = witness(() => channel.send(2));
    await sleep(0);
    await assertRejects(() => channel.receive(), RangeError, "first");
    assertEquals(await channel.receive(), 2);
    for (const one of [sender, next]) {
      await one.task.join();
      valueOf(one);
    }
  }));

Deno.test("Channel.sendException() waits, times out and is aborted like send()", () =>
  runLoop(async () => {
    const channel = new Channel<number>();
    const error = new RangeError("sent");
    await assertRejects(() => channel.sendException(error, { timeout: 5 }), TimeoutError);
    await assertRejects(() => channel.sendException(error, { timeout: -1 }), RangeError);
    const signal = AbortSignal.abort("enough");
    assertEquals(await outcomeOf(() => channel.sendException(error, { signal })), {
      error: "enough",
    });
    const victim = witness(() => channel.sendException(error));
    await sleep(0);
    victim.task.kill();
    await victim.task.join();
    assertInstanceOf(errorOf(victim), TaskExit);
    // None of these errors is there any more.
    await assertRejects(() => channel.receive({ timeout: 5 }), TimeoutError);
  }));

Deno.test("Channel is iterated over until it is closed", () =>
  runLoop(async () => {
    const channel = new Channel<string>();
    const seen: string[] = [];
    const reader = witness(async () => {
      for await (const value of channel) seen.push(value);
    });
    const first = spawn(() => channel.send("hello"));
    const second = spawn(async () => {
      await channel.send("world");
      channel.close();
    });
    for (const task of [first, second, reader.task]) await task.join();
    valueOf(reader);
    assertEquals(seen, ["hello", "world"]);
  }));

Deno.test("Channel throws an exception that was sent out of the iteration", () =>
  runLoop(async () => {
    const channel = new Channel<number>();
    const seen: number[] = [];
    const reader = witness(async () => {
      for await (const value of channel) seen.push(value);
    });
    await channel.send(1);
    await channel.sendException(new RangeError("sent"));
    await reader.task.join();
    assertInstanceOf(errorOf(reader), RangeError);
    assertEquals(seen, [1]);
  }));

Deno.test("Channel takes no more from its senders when an iteration is left", () =>
  runLoop(async () => {
    const channel = new Channel<number>();
    const senders = [1, 2].map((i) => witness(() => channel.send(i)));
    for await (const value of channel) {
      assertEquals(value, 1);
      break;
    }
    await sleep(1);
    assertEquals([channel.closed, senders[1].outcome], [false, undefined]);
    assertEquals(await channel.receive(), 2);
  }));

Deno.test("Channel.close() sends away who waits, on either side", () =>
  runLoop(async () => {
    const sending = new Channel<number>(), receiving = new Channel<number>();
    const waiting = [
      witness<unknown>(() => sending.send(1)),
      witness<unknown>(() => sending.sendException(new Error("never seen"))),
      witness<unknown>(() => receiving.receive()),
      witness<unknown>(() => receiving.receive({ timeout: 1e6 })),
    ];
    await sleep(0);
    sending.close();
    receiving.close();
    for (const one of waiting) {
      await one.task.join();
      assertInstanceOf(errorOf(one), ChannelClosed);
    }
  }));

Deno.test("Channel that is closed refuses everything, and may be closed again", () =>
  runLoop(async () => {
    const channel = new Channel<number>();
    assertEquals(channel.closed, false);
    channel.close();
    channel.close();
    assertEquals(channel.closed, true);
    await assertRejects(() => channel.send(1), ChannelClosed);
    await assertRejects(() => channel.send(1, { timeout: 0 }), ChannelClosed);
    await assertRejects(() => channel.sendException(new Error("x")), ChannelClosed);
    await assertRejects(() => channel.receive(), ChannelClosed);
    await assertRejects(() => channel.receive({ timeout: 0 }), ChannelClosed);
    for await (const _ of channel) throw new Error("A closed channel gave a value");
  }));

Deno.test("Channel delivers a value that was handed over before it was closed", () =>
  runLoop(async () => {
    const channel = new Channel<number>();
    const receiver = witness(() => channel.receive());
    await sleep(0);
    assert(channel.trySend(1));
    channel.close();
    await receiver.task.join();
    assertEquals(valueOf(receiver), 1);
  }));

Deno.test("Channel carries everything from many senders to many receivers, once", () =>
  runLoop(async () => {
    const channel = new Channel<number>();
    const got: number[] = [];
    const senders = Array.from({ length: 5 }, (_, s) =>
      spawn(async () => {
        for (let i = 0; i < 20; i++) {
          await channel.send(s * 20 + i);
          if (i % 4 === 0) await sleep(s % 3);
        }
      }));
    const receivers = [1, 2, 3].map(() =>
      spawn(async () => {
        for await (const value of channel) got.push(value);
      })
    );
    for (const sender of senders) await sender.join();
    channel.close();
    for (const receiver of receivers) await receiver.join();
    assertEquals(got.toSorted((a, b) => a - b), Array.from({ length: 100 }, (_, i) => i));
  }));

interface State {
  readonly channel: Channel<number>;
  readonly sent: number[];
  readonly got: number[];
}

const make = (): State => ({ channel: new Channel(), sent: [], got: [] });

/** Nothing was received that its sender does not know of, and the other way round. */
function check(state: State) {
  assertEquals(state.got.toSorted(), state.sent.toSorted());
}

async function receiver(state: State) {
  for await (const value of state.channel) state.got.push(value);
}

async function sender(state: State, first: number, step: () => Promise<void>) {
  for (let i = first; i < first + 4; i++) {
    await state.channel.send(i);
    state.sent.push(i);
    if (i % 2) await step();
  }
}

killAtEveryStep<State>("Channel loses no value sent to one of several receivers", {
  make,
  async victim(state, wait) {
    try {
      for (let i = 0; i < 3; i++) state.got.push(await state.channel.receive(wait));
    } catch (error) {
      if (!(error instanceof ChannelClosed)) throw error;
    }
  },
  others: [
    receiver,
    async (state, step) => {
      await sender(state, 0, step);
      await sender(state, 10, step);
      state.channel.close();
    },
    receiver,
  ],
  check,
});

killAtEveryStep<State>("Channel delivers a value exactly if its send() succeeds", {
  make,
  async victim(state, wait) {
    for (let i = 100; i < 103; i++) {
      await state.channel.send(i, wait);
      state.sent.push(i);
    }
  },
  others: [
    (state, step) => sender(state, 0, step),
    async (state, step) => {
      for (let idle = 0; idle < 8; idle++) {
        await step();
        const got = state.channel.tryReceive();
        if (!got) continue;
        state.got.push(got.value);
        idle = 0;
      }
    },
    (state, step) => sender(state, 10, step),
  ],
  check,
});
