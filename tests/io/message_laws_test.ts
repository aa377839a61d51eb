import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  cooperate,
  Event,
  HttpServer,
  Queue,
  sleep,
  spawn,
  StreamError,
  type Task,
  TaskGroup,
  TimeoutError,
  UdpEndpoint,
  UdpError,
  upgrade,
  type WaitOptions,
  type WebSocketConnection,
} from "../../mod.ts";
import { killAtEveryStep } from "../kill_at_every_step.ts";
import { text } from "./_scripted.ts";

/** One side of what carries messages, each whole and in order. */
interface Side {
  send(message: string, options?: WaitOptions): Promise<unknown>;
  /** `null`: the other side has closed. */
  receive(options?: WaitOptions): Promise<string | null>;
  flush(options?: WaitOptions): Promise<void>;
  close(): void;
}

/** Two sides that are connected with each other. */
interface Pair {
  /** The one that the laws are about. */
  near: Side;
  far: Side;
  close(): unknown;
}

/** A kind of endpoint of messages. */
interface MessageKind {
  readonly name: string;
  readonly error: typeof UdpError | typeof StreamError;
  connect(): Promise<Pair>;
}

function udp(name: string, hostname: string): MessageKind {
  const side = (endpoint: UdpEndpoint, other: UdpEndpoint): Side => ({
    send: (message, options) => endpoint.send(message, other.sockname, options),
    receive: async (options) => text((await endpoint.receive(options))[0]),
    flush: (options) => endpoint.flush(options),
    close: () => endpoint.close(),
  });
  return {
    name,
    error: UdpError,
    connect() {
      const [a, b] = [new UdpEndpoint(), new UdpEndpoint()];
      for (const endpoint of [a, b]) endpoint.bind({ hostname, port: 0 });
      const close = () => {
        a.close();
        b.close();
      };
      return Promise.resolve({ near: side(a, b), far: side(b, a), close });
    },
  };
}

const webSocket: MessageKind = {
  name: "WebSocket",
  error: StreamError,
  async connect() {
    const upgraded = new Event();
    const done = new Event();
    let connection: WebSocketConnection;
    const server = new HttpServer(async (request) => {
      connection = await upgrade(request, { idleTimeout: 0 });
      upgraded.set();
      await done.wait();
    });
    server.bind({ hostname: "127.0.0.1", port: 0 });
    const serving = spawn(() => server.serve());
    const client = new WebSocket(`ws://127.0.0.1:${server.sockname.port}`);
    const messages = new Queue<string>();
    client.onmessage = ({ data }) => messages.putNowait(data);
    const closed = new Promise((resolve) => client.onclose = resolve);
    await cooperate(new Promise((resolve) => client.onopen = resolve));
    await upgraded.wait();
    const near: Side = {
      send: (message, options) => connection.send(message, options),
      receive: async (options) => await connection.receive(options) as string | null,
      flush: () => Promise.resolve(),
      close: () => connection.close(),
    };
    const far: Side = {
      send: (message) => Promise.resolve(client.send(message)),
      receive: (options) => messages.get(options),
      flush: () => Promise.resolve(),
      close: () => client.close(),
    };
    return {
      near,
      far,
      async close() {
        connection.close();
        client.close();
        await cooperate(closed);
        done.set();
        await server.close();
        await serving.join();
      },
    };
  },
};

const kinds = [
  udp("UDP over IPv4", "127.0.0.1"),
  ...(hasIpv6() ? [udp("UDP over IPv6", "::1")] : []),
  webSocket,
];

function hasIpv6(): boolean {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}

function law(name: string, check: (pair: Pair, kind: MessageKind) => Promise<void>): void {
  for (const kind of kinds) {
    Deno.test(`${kind.name}: ${name}`, async () => {
      const pair = await kind.connect();
      try {
        await check(pair, kind);
      } finally {
        await pair.close();
      }
    });
  }
}

law("messages arrive whole and in order, both ways", async ({ near, far }) => {
  const sent = Array.from({ length: 100 }, (_, i) => "x".repeat(i * 5) + i);
  for (const [from, to] of [[near, far], [far, near]]) {
    for (const message of sent) await from.send(message);
    for (const message of sent) assertEquals(await to.receive({ timeout: 5_000 }), message);
  }
});

law("those who receive are served in the order in which they came", async ({ near, far }) => {
  const log: string[] = [];
  await TaskGroup.run(async (group) => {
    for (const name of "abc") group.spawn(async () => log.push(name + await near.receive()));
    await sleep(0);
    for (const message of "123") await far.send(message);
  });
  assertEquals(log, ["a1", "b2", "c3"]);
});

law(
  "a call whose signal is aborted, or that may not wait, takes nothing",
  async ({ near, far }) => {
    const signal = AbortSignal.abort(new Error("enough"));
    await assertRejects(() => near.receive({ timeout: 0 }), TimeoutError);
    await far.send("kept");
    await sleep(20);
    await assertRejects(() => near.receive({ signal }), Error, "enough");
    await assertRejects(() => near.send("no", { signal }), Error, "enough");
    assertEquals(await near.receive({ timeout: 0 }), "kept");
    await near.send("yes");
    assertEquals(await far.receive(), "yes");
  },
);

law("close() ends whoever waits, and whoever comes; closing again does nothing", async (
  { near },
  { error },
) => {
  const waiting = [near.receive(), near.receive()].map((call) => assertRejects(() => call, error));
  near.close();
  near.close();
  for (const call of waiting) assertEquals((await call).code, "ECLOSED");
  for (const call of [() => near.receive(), () => near.send("x")]) {
    assertEquals((await assertRejects(call, error)).code, "ECLOSED");
  }
});

for (const kind of kinds) {
  const outside = {
    outside: true,
    make: async () => ({ pair: await kind.connect(), got: [] as string[] }),
    release: ({ pair }: { pair: Pair; got: string[] }) => pair.close(),
  };
  const receiveInto = async (got: string[], side: Side, options?: WaitOptions) => {
    const place = got.push("") - 1;
    got[place] = (await side.receive(options))!;
  };

  killAtEveryStep(`${kind.name}: several receive in turn and no message is lost`, {
    ...outside,
    victim: ({ pair, got }, wait) => receiveInto(got, pair.near, wait),
    others: [
      ({ pair, got }) => receiveInto(got, pair.near),
      async ({ pair }, step) => {
        for (const message of "123") {
          await pair.far.send(message);
          await step();
        }
      },
      ({ pair, got }) => receiveInto(got, pair.near),
    ],
    async check({ pair, got }) {
      while (got.join("").length < 3) await receiveInto(got, pair.near, { timeout: 5_000 });
      assertEquals(got.join(""), "123");
    },
  });

  killAtEveryStep(`${kind.name}: several send, and each message arrives once`, {
    ...outside,
    async victim({ pair: { near } }, wait) {
      await near.send("v", wait);
      await near.flush(wait);
    },
    others: [
      async ({ pair: { near } }) => {
        await near.send("a");
        await near.flush();
      },
      ({ pair: { near } }) => near.send("b"),
    ],
    async check({ pair: { near, far }, got }) {
      await near.send(".");
      await near.flush();
      while (got.at(-1) !== ".") got.push((await far.receive({ timeout: 5_000 }))!);
      assertEquals(got.filter((message) => message !== "v").toSorted(), [".", "a", "b"]);
      assert(got.length <= 4);
    },
  });

  Deno.test(`${kind.name}: whenever it is closed, everybody who uses it hears of it`, async () => {
    for (let turns = 0; turns <= 20; turns++) await closeAfter(kind, turns);
  });
}

async function closeAfter(kind: MessageKind, turns: number): Promise<void> {
  const pair = await kind.connect();
  const { near, far } = pair;
  const strange: unknown[] = [];
  const use = (act: () => Promise<unknown>): Task =>
    spawn(async () => {
      try {
        await act();
      } catch (error) {
        const known = error instanceof kind.error && error.code === "ECLOSED";
        if (!known) strange.push(error);
      }
    });
  const tasks = [
    use(async () => {
      for (let i = 0; i < 50; i++) await near.send("message");
      await near.flush();
    }),
    use(async () => {
      while (await near.receive() !== null);
    }),
  ];
  for (let i = 0; i < 5; i++) await far.send("hello");
  for (let i = 0; i < turns; i++) {
    await cooperate(new Promise<void>((resolve) => setImmediate(resolve)));
  }
  near.close();
  for (const task of tasks) {
    assert(await task.join({ timeout: 5_000 }), `somebody waits for ever, ${turns} turns after`);
  }
  await pair.close();
  assertEquals(strange, []);
}
