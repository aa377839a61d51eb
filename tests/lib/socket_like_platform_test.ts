// What lib.socket gives, beside what the platform gives: the same members, and the same outcome of the same calls.
import { assertEquals } from "@std/assert";
import { lib } from "../../mod.ts";
import { runLoop } from "../run_loop.ts";

// deno-lint-ignore no-explicit-any
type Any = any;
/** The platform's functions, or the cooperative ones. */
type Sockets = Any;

const HOST = { hostname: "127.0.0.1", port: 0 };
const CERT = await Deno.readTextFile(new URL("./localhost.crt", import.meta.url));
const KEY = await Deno.readTextFile(new URL("./localhost.key", import.meta.url));
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A connection and who is at its other end. */
interface Pair {
  readonly near: Any;
  readonly far: Any;
  readonly listener: Any;
  readonly sockets: Sockets;
}

const kinds: Record<string, (sockets: Sockets) => Promise<Pair>> = {
  TCP: async (sockets) => {
    const listener = sockets.listen(HOST);
    const near = await sockets.connect({ port: listener.addr.port });
    return { near, far: await listener.accept(), listener, sockets };
  },
  TLS: async (sockets) => {
    const listener = sockets.listenTls({ ...HOST, cert: CERT, key: KEY });
    const { port } = listener.addr;
    const near = await sockets.connectTls({ hostname: "localhost", port, caCerts: [CERT] });
    return { near, far: await listener.accept(), listener, sockets };
  },
  Unix: async (sockets) => {
    const path = `${await Deno.makeTempDir()}/socket`;
    const listener = sockets.listen({ transport: "unix", path });
    const near = await sockets.connect({ transport: "unix", path });
    return { near, far: await listener.accept(), listener, sockets };
  },
};

function closeAll({ near, far, listener }: Pair): void {
  for (const each of [near, far, listener]) {
    try {
      each.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }
}

/** The public members of an object and of its classes, each with its type. */
function membersOf(object: Any): string[] {
  const members = new Set<string>();
  for (let at = object; at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const key of Reflect.ownKeys(at)) {
      const isWellKnown = typeof key === "string" ||
        Object.values(Object.getOwnPropertyDescriptors(Symbol)).some(({ value }) => value === key);
      if (isWellKnown) members.add(`${String(key)}: ${typeof object[key]}`);
    }
  }
  return [...members].sort();
}

for (const [kind, make] of Object.entries(kinds)) {
  Deno.test(`lib.socket: connections and listeners of ${kind} have the members of the platform's`, () =>
    runLoop(async () => {
      const [platform, ours] = [await make(Deno), await make(lib.socket)];
      for (const which of ["near", "far", "listener"] as const) {
        assertEquals(membersOf(ours[which]), membersOf(platform[which]), which);
      }
      closeAll(platform);
      closeAll(ours);
    }, { clock: undefined }));
}

/** How a call ended: its value, or the class and code of its error. */
async function outcomeOf(call: () => unknown): Promise<unknown> {
  try {
    return await call() ?? "nothing";
  } catch (error) {
    const { constructor, code } = error as { constructor: { name: string }; code?: string };
    return [constructor.name, code];
  }
}

async function outcomes(...calls: (() => unknown)[]): Promise<unknown[]> {
  const list: unknown[] = [];
  for (const call of calls) list.push(await outcomeOf(call));
  return list;
}

const one = (): Uint8Array => new Uint8Array(1);

/** Calls, which are made of both. */
const cases: Record<string, (pair: Pair) => Promise<unknown>> = {
  "nothing is read and written": ({ near }) =>
    outcomes(() => near.read(new Uint8Array()), () => near.write(new Uint8Array())),
  "what are no bytes": ({ near }) =>
    outcomes(
      ...["x", [1], new DataView(new ArrayBuffer(1)), new Uint16Array(1), undefined].flatMap(
        (thing) => [() => near.read(thing), () => near.write(thing)],
      ),
    ),
  "a connection that was closed": ({ near }) => {
    near.close();
    return outcomes(
      () => near.read(one()),
      () => near.write(one()),
      () => near.closeWrite(),
      () => near.close(),
      () => near.ref(),
      () => near.unref(),
      () => near.setNoDelay(),
      () => near.setKeepAlive(),
      () => near[Symbol.dispose](),
      () => near.localAddr.transport,
      () => near.readable.getReader().read(),
      () => near.writable.getWriter().write(one()),
    );
  },
  "a connection that is closed while it is read": async ({ near }) => {
    const reading = outcomeOf(() => near.read(one()));
    await new Promise((resolve) => setTimeout(resolve, 2));
    near.close();
    return await reading;
  },
  "a connection that is disposed of twice": ({ near }) =>
    outcomes(() => near[Symbol.dispose](), () => near[Symbol.dispose](), () => near.close()),
  "one direction is closed twice": ({ near }) =>
    outcomes(() => near.closeWrite(), () => near.closeWrite(), () => near.write(one())),
  "the other end closes": ({ near, far }) => {
    far.close();
    return outcomes(() => near.read(one()), () => near.read(one()), () => near.closeWrite());
  },
  "reads at the same time": async ({ near, far }) => {
    const reads = [1, 2].map(() => near.read(new Uint8Array(2)));
    await far.write(bytes("abcd"));
    return await Promise.all(reads);
  },
  "a stream to read, to its end": async ({ near, far }) => {
    await far.write(bytes("hi"));
    far.close();
    const reader = near.readable.getReader();
    return [
      near.readable === near.readable,
      ...await outcomes(
        () => reader.read(),
        () => reader.read(),
        () => near.read(one()),
        () => near.close(),
      ),
    ];
  },
  "a stream to read into a buffer": async ({ near, far }) => {
    await far.write(bytes("hi"));
    const { value } = await near.readable.getReader({ mode: "byob" }).read(new Uint8Array(10));
    return value.length;
  },
  "a stream to read that is cancelled": ({ near }) =>
    outcomes(() => near.readable.getReader().cancel(), () => near.write(one())),
  "a stream to write, which is closed": ({ near, far }) => {
    const writer = near.writable.getWriter();
    return outcomes(
      () => near.writable === near.writable,
      () => writer.write(bytes("x")),
      () => writer.write(new ArrayBuffer(2)),
      () => writer.write(new Uint16Array(1)),
      () => writer.close(),
      () => near.read(one()),
      () => far.read(new Uint8Array(10)),
    );
  },
  "a stream to write, which is aborted": ({ near }) => {
    const writer = near.writable.getWriter();
    return outcomes(() => writer.abort(), () => near.read(one()));
  },
  "a stream to write, which is given a string": ({ near }) =>
    outcomes(() => near.writable.getWriter().write("x")),
  "an iteration that is left": async ({ listener, sockets }) => {
    const connecting = sockets.connect({ port: listener.addr.port });
    for await (const conn of listener) {
      conn.close();
      break;
    }
    (await connecting).close();
    return await outcomes(() => listener.accept(), () => listener.close());
  },
  "an iteration whose listener is closed": async ({ listener }) => {
    const iterating = outcomeOf(async () => {
      for await (const conn of listener) conn.close();
      return "the end";
    });
    await new Promise((resolve) => setTimeout(resolve, 2));
    listener.close();
    return [
      await iterating,
      await outcomes(
        () => listener.next(),
        () => listener.accept(),
        () => listener.close(),
        () => listener.ref(),
        () => listener.unref(),
        () => listener[Symbol.dispose](),
        () => listener.addr.transport,
      ),
    ];
  },
  "an accept whose listener is closed": async ({ listener }) => {
    const accepting = outcomeOf(() => listener.accept());
    await new Promise((resolve) => setTimeout(resolve, 2));
    listener.close();
    return await accepting;
  },
  "addresses that cannot be": ({ sockets, listener: { addr: { port } } }) =>
    outcomes(
      () => sockets.connect(),
      () => sockets.connect({}),
      () => sockets.connect({ port: -1 }),
      () => sockets.connect({ port: 70_000 }),
      () => sockets.connect({ port: "x" }),
      () => sockets.connect({ port, transport: "carrier pigeon" }),
      () => sockets.connect({ transport: "unix", path: "/nowhere/at/all" }),
      () => sockets.listen(),
      () => sockets.listen({ port: -1 }),
      () => sockets.listen({ hostname: "127.0.0.1", port }),
      () => sockets.listen({ port: 0, transport: "carrier pigeon" }),
      () => sockets.listenTls({ port: 0 }),
    ),
};

for (const [name, call] of Object.entries(cases)) {
  Deno.test(`lib.socket does as the platform does: ${name}`, () =>
    runLoop(async () => {
      const results: unknown[] = [];
      for (const sockets of [Deno, lib.socket]) {
        const pair = await kinds.TCP(sockets);
        results.push(await call(pair));
        closeAll(pair);
      }
      assertEquals(results[1], results[0]);
    }, { clock: undefined }));
}
