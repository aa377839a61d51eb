/** What holds for every kind of stream, whenever a call is given up or the stream is closed. */
import { assert, assertEquals } from "@std/assert";
import {
  type BaseStream,
  cooperate,
  sleep,
  spawn,
  StreamError,
  type Task,
  TaskExit,
} from "../../mod.ts";
import { killAtEveryStep } from "../kill_at_every_step.ts";
import type { ClientKind, Kind, Pair, WelcomingServer } from "./_kinds.ts";
import { text } from "./_scripted.ts";

/** Registers the laws about what is given up. */
export function giveUpAtEveryStep(kind: Kind): void {
  const outside = {
    outside: true,
    make: async () => ({ pair: await kind.connect(), got: [] as string[] }),
    release: ({ pair }: { pair: Pair; got: string[] }) => pair.close(),
  };

  if (kind.waits) {
    killAtEveryStep(`${kind.name}: several read in turn and no byte is lost`, {
      ...outside,
      victim: ({ pair, got }, wait) => readInto(got, pair.far, wait),
      others: [
        ({ pair, got }) => readInto(got, pair.far),
        async ({ pair }, step) => {
          for (const byte of "123456") {
            await pair.near.write(byte);
            await step();
          }
        },
        ({ pair, got }) => readInto(got, pair.far),
      ],
      async check({ pair, got }) {
        const rest = 6 - got.join("").length;
        if (rest > 0) got.push(text(await pair.far.readBytes(rest))!);
        assertEquals(got.join(""), "123456");
      },
    });
  }

  killAtEveryStep(`${kind.name}: several write and flush, and everything arrives once`, {
    ...outside,
    async victim({ pair: { near } }, wait) {
      await near.write("vv", wait);
      await near.flush(wait);
    },
    others: [
      async ({ pair: { near } }) => {
        await near.write("aa");
        await near.flush();
      },
      async ({ pair: { near } }) => void await near.write("bb"),
    ],
    async check({ pair: { near, far } }) {
      await near.write(".");
      await near.flush();
      const sent = text(await far.readUntil("."))!;
      const { length } = sent;
      assertEquals([..."ab"].map((name) => sent.includes(name + name)), [true, true]);
      assertEquals(length, sent.includes("vv") ? 7 : 5);
    },
  });

  if (kind.stalls) {
    const size = Math.min(150_000, kind.volume / 50);
    const piece = (name: string) => new Uint8Array(size).fill(name.charCodeAt(0));
    killAtEveryStep(`${kind.name}: several write more than goes, and everything arrives once`, {
      ...outside,
      async victim({ pair: { near } }, wait) {
        await near.write(piece("v"), wait);
        await near.flush(wait);
      },
      others: [
        ({ pair: { near } }) => near.write(piece("a")),
        async ({ pair: { far }, got }) => {
          for (let last = ""; last !== ".";) {
            const chunk = text(await far.read())!;
            got.push(chunk);
            last = chunk.at(-1)!;
          }
        },
        async ({ pair: { near } }, step) => {
          await step();
          await near.write(piece("b"));
          // The victim has begun to write by then, or it never does.
          for (let i = 0; i < 3; i++) await sleep(1);
          await near.write(".");
        },
      ],
      check({ got }) {
        const runs = [...got.join("").matchAll(/(.)\1*/g)].map(([run]) => [run[0], run.length]);
        const counts = new Map(runs as [string, number][]);
        assertEquals(counts.size, runs.length, "a piece was torn apart");
        assertEquals([counts.get("a"), counts.get("b")], [size, size]);
        assertEquals(counts.get("v") ?? size, size);
        assertEquals(runs.at(-1), [".", 1]);
      },
    });
  }

  if (kind.ends) {
    killAtEveryStep(`${kind.name}: a shutdown() that is given up can be repeated`, {
      ...outside,
      async victim({ pair: { near } }, wait) {
        await near.write("all", wait);
        await near.shutdown(wait);
      },
      others: [
        async ({ pair: { near } }) => {
          await near.write("one,").catch(unlessShutDown);
        },
      ],
      async check({ pair: { near, far } }) {
        await near.shutdown();
        const sent = text(await far.readBytes(100)) ?? "";
        assert(["", "one,", "all", "one,all", "allone,"].includes(sent), sent);
        assertEquals(await far.read(), null);
      },
    });
  }
}

function unlessShutDown(error: unknown): void {
  if (!(error instanceof StreamError) || error.code !== "EPIPE") throw error;
}

/** Reads, and puts what it was given where its call came in the order of calls. */
async function readInto(got: string[], stream: BaseStream, wait?: object): Promise<void> {
  const place = got.push("") - 1;
  got[place] = text(await stream.readBytes(2, wait))!;
}

/** Registers the laws about connecting and accepting. */
export function connectAtEveryStep(kind: ClientKind): void {
  killAtEveryStep(`${kind.name}: a connect() that is given up can be repeated`, {
    outside: true,
    make() {
      const server = kind.serve();
      return { server, serving: spawn(() => server.serve()), client: kind.makeClient() };
    },
    async victim({ client, server }, wait) {
      await kind.connect(client, server, wait);
    },
    others: [async ({ server }) => await greeted(kind, server)],
    async check({ client, server, serving }) {
      await kind.connect(client, server).catch((error) => {
        if (!(error instanceof StreamError) || error.code !== "EISCONN") throw error;
      });
      assertEquals(text(await client.readBytes(100)), "welcome");
      client.close();
      while (server.connections.length > 0) await sleep(1);
      server.close();
      await serving.join();
    },
    release({ client, server }) {
      client.close();
      server.close();
    },
  });

  const clients = 4;
  killAtEveryStep(`${kind.name}: a serve() that is given up loses no client`, {
    outside: true,
    blows: ["killed", "ended by a Timeout"],
    make: () => ({ server: kind.serve(), greeted: 0 }),
    victim: ({ server }) => server.serve(),
    others: [
      async (state) => {
        for (let i = 0; i < clients; i++) {
          await greeted(kind, state.server);
          state.greeted++;
        }
        state.server.close();
      },
      async ({ server }, step) => {
        // Somebody else serves as soon as the victim does not.
        await step();
        while (true) {
          try {
            return await server.serve();
          } catch (error) {
            if ((error as StreamError).code === "ECLOSED") return;
            if ((error as StreamError).code !== "EALREADY") throw error;
          }
          await step();
        }
      },
    ],
    check({ server, greeted }) {
      assertEquals([server.connections.length, greeted], [0, clients]);
    },
    release: ({ server }) => server.close(),
  });
}

async function greeted(kind: ClientKind, server: WelcomingServer): Promise<void> {
  const client = kind.makeClient();
  try {
    await kind.connect(client, server);
    assertEquals(text(await client.readBytes(100)), "welcome");
  } finally {
    client.close();
  }
}

/** How long a run may take in which a stream is closed, in milliseconds. */
const LIMIT = 5_000;
/** How many turns later than the first a stream is closed, at the most. */
const LAST = 25;

/** Closes a stream one turn later in each run, while others do everything with it that can be done. */
export function closeAtEveryStep(kind: Kind): void {
  for (const closed of ["near", "far"] as const) {
    Deno.test(`${kind.name}: whenever the ${closed} side is closed, everybody who uses it hears of it`, async () => {
      for (let turns = 0; turns <= LAST; turns++) await closeAfter(kind, closed, turns);
    });
  }
}

async function closeAfter(kind: Kind, closed: "near" | "far", turns: number): Promise<void> {
  const pair = await kind.connect();
  const { near, far } = pair;
  const strange: unknown[] = [];
  const piece = "0123456789".repeat(10_000);
  let received = "";
  const use = (act: () => Promise<unknown>): Task =>
    spawn(async () => {
      try {
        await act();
      } catch (error) {
        if (error instanceof TaskExit) throw error;
        const { code } = error as StreamError;
        const known = error instanceof StreamError &&
          ["ECLOSED", "EPIPE", "ECONNRESET", "EIO", "EINCOMPLETE"].includes(code);
        if (!known) strange.push(error);
      }
    });
  const tasks = [
    use(async () => {
      for (let i = 0; i < 3; i++) await near.write(piece);
      await near.flush();
      await near.shutdown();
    }),
    use(async () => {
      for await (const chunk of far) received += text(chunk);
    }),
    use(() => near.flush()),
  ];
  if (kind.duplex) tasks.push(use(() => near.readUntil("never")));
  for (let i = 0; i < turns; i++) {
    await cooperate(new Promise<void>((resolve) => setImmediate(resolve)));
  }
  pair[closed].close();
  if (closed === "far" || !kind.ends) {
    // Nothing tells the side that is left, then: it need not end.
    await sleep(1);
    (closed === "far" ? near : far).close();
  }
  for (const task of tasks) {
    assert(await task.join({ timeout: LIMIT }), `somebody waits for ever, ${turns} turns after`);
  }
  pair.close();
  if (turns === LAST) await pair.settled?.();
  assertEquals(strange, []);
  assert(piece.repeat(3).startsWith(received), "what was received is not what was sent");
}
