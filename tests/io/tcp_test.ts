import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import {
  cooperate,
  Event,
  EventLoop,
  type ExceptionContext,
  sleep,
  spawn,
  TaskExit,
  TcpClient,
  type TcpConnection,
  TcpError,
  TcpServer,
  TimeoutError,
} from "../../mod.ts";
import { lookup } from "node:dns/promises";
import net from "node:net";
import { KeepingServer } from "./_kinds.ts";
import { text } from "./_scripted.ts";
import { settle } from "./_settle.ts";

Deno.test.afterEach(settle);

class Serves extends TcpServer {
  constructor(readonly handle: (connection: TcpConnection) => unknown) {
    super();
  }

  override handleConnection(connection: TcpConnection): unknown {
    return this.handle(connection);
  }

  static start(handle: (connection: TcpConnection) => unknown): Serves {
    const server = new Serves(handle);
    server.bind({ hostname: "127.0.0.1", port: 0 });
    spawn(() => server.serve());
    return server;
  }
}

async function connected(server: TcpServer): Promise<TcpClient> {
  const client = new TcpClient();
  await client.connect(server.sockname);
  return client;
}

/** Collects what nobody caught while `body` runs. */
async function reported(body: () => Promise<void>): Promise<ExceptionContext[]> {
  const contexts: ExceptionContext[] = [];
  const loop = EventLoop.current();
  loop.setExceptionHandler((context) => contexts.push(context));
  try {
    await body();
  } finally {
    loop.setExceptionHandler(null);
  }
  return contexts;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(1);
}

/** A port that nobody listens on. */
function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  return listener.addr.port;
}

Deno.test("a server bound to port 0 tells its port, and both sides their addresses", async () => {
  using server = KeepingServer.start();
  assert(server.sockname.port > 0);
  assertEquals(server.address, server.sockname);
  const client = await connected(server);
  await server.arrived.wait();
  const [connection] = server.kept;
  assertEquals(client.peername, server.sockname);
  assertEquals(connection.sockname, server.sockname);
  assertEquals(connection.peername, client.sockname);
  assertEquals(connection.server as unknown, server);
  assertEquals(server.connections, [connection]);
  client.setNoDelay();
  client.setKeepAlive(true);
  connection.setNoDelay(false);
  connection.setKeepAlive(false);
  client.close();
});

Deno.test("connect() says who refused it", async () => {
  const port = freePort();
  const client = new TcpClient();
  const error = await assertRejects(
    () => client.connect({ hostname: "127.0.0.1", port }),
    TcpError,
    `Cannot connect to 127.0.0.1:${port}: Connection refused`,
  );
  assertEquals([error.code, error.errno, error.name], ["ECONNREFUSED", 111, "TcpError"]);
  assertEquals(error.address, `127.0.0.1:${port}`);
  assert(error.cause instanceof Deno.errors.ConnectionRefused);
});

Deno.test("connect() may be repeated after it failed, and sends what was written before", async () => {
  using server = KeepingServer.start();
  const client = new TcpClient();
  assertEquals(await client.write("hello"), false);
  await assertRejects(() => client.connect({ hostname: "127.0.0.1", port: freePort() }), TcpError);
  await client.connect(server.sockname);
  await server.arrived.wait();
  assertEquals(text(await server.kept[0].readBytes(5)), "hello");
  client.close();
});

Deno.test("connect() to a name that nobody has", async () => {
  const client = new TcpClient();
  const error = await assertRejects(
    () => client.connect({ hostname: "nobody.invalid", port: 1 }),
    TcpError,
  );
  assertEquals(error.code, "ENOTFOUND");
});

Deno.test("connect() that is killed or times out leaves nothing behind, and may be repeated", async () => {
  // The queue of a listener that never accepts fills up, and then a client has to wait.
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 1 });
  const target = { hostname: "127.0.0.1", port: listener.addr.port };
  const fillers: Deno.TcpConn[] = [];
  const client = new TcpClient();
  try {
    while (fillers.length < 10) {
      fillers.push(
        await Deno.connect({ ...target, signal: AbortSignal.timeout(50) } as Deno.ConnectOptions),
      );
    }
  } catch {
    // It is full.
  }
  await assertRejects(() => client.connect(target, { timeout: 5 }), TimeoutError);
  const abort = new AbortController();
  spawn(() => abort.abort(new Error("enough")));
  await assertRejects(() => client.connect(target, { signal: abort.signal }), Error, "enough");
  const task = spawn(() => client.connect(target));
  await sleep(5);
  task.kill();
  await task.join();
  await assertRejects(() => client.connect(target, { timeout: 0 }), TimeoutError);
  const closing = assertRejects(() => client.connect(target), TcpError);
  const twice = await assertRejects(() => client.connect(target), TcpError);
  assertEquals(twice.code, "EALREADY");
  const reading = assertRejects(() => client.read(), TcpError);
  client.close();
  assertEquals((await closing).code, "ECLOSED");
  assertEquals((await reading).code, "ECLOSED");
  for (const filler of fillers) filler.close();
  listener.close();
});

Deno.test("connect() that is given up at whatever moment leaves no connection open", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let open = 0;
  const serving = (async () => {
    for await (const connection of listener) {
      open++;
      connection.read(new Uint8Array(1)).then(() => {
        open--;
        connection.close();
      });
    }
  })();
  for (let round = 0; round < 400; round++) {
    const client = new TcpClient();
    const connecting = spawn(() => client.connect(listener.addr as Deno.NetAddr));
    await sleep(0);
    // While the program is busy the connection is made; what hears of it first then, is a matter of luck.
    setTimeout(() => connecting.kill(), 1);
    for (const end = performance.now() + 2.5; performance.now() < end;);
    await connecting.join();
    client.close();
  }
  await until(() => open === 0);
  listener.close();
  await cooperate(serving);
});

Deno.test("a read before connect() has finished waits for it; without one it is refused", async () => {
  using server = Serves.start((connection) => connection.write("hi"));
  const client = new TcpClient();
  assertEquals((await assertRejects(() => client.read(), TcpError)).code, "ENOTCONN");
  const connecting = client.connect(server.sockname);
  const reading = client.read();
  await connecting;
  assertEquals(text(await reading), "hi");
  assertEquals(
    (await assertRejects(() => client.connect(server.sockname), TcpError)).code,
    "EISCONN",
  );
  client.close();
  assertEquals(
    (await assertRejects(() => client.connect(server.sockname), TcpError)).code,
    "ECLOSED",
  );
  assertThrows(() => client.sockname, TcpError);
});

Deno.test("arguments that make no sense are refused", async () => {
  const client = new TcpClient();
  const wrong = 5 as never;
  await assertRejects(() => client.connect(wrong), TypeError);
  await assertRejects(() => client.connect({ hostname: wrong, port: 1 }), TypeError);
  await assertRejects(() => client.connect({ hostname: "x", port: 65_536 }), RangeError);
  await assertRejects(() => client.connect({ hostname: "x", port: 0 }), RangeError);
  await assertRejects(() => client.connect({ hostname: "x", port: "1" as never }), TypeError);
  using server = new Serves(() => {});
  assertThrows(() => server.bind({ hostname: "127.0.0.1", port: -1 }), RangeError);
  assertThrows(() => server.maxConnections = 0, RangeError);
});

Deno.test("bind() says which address is taken", () => {
  using server = new Serves(() => {});
  server.bind({ hostname: "127.0.0.1", port: 0 });
  const { port } = server.sockname;
  using other = new Serves(() => {});
  const error = assertThrows(
    () => other.bind({ hostname: "127.0.0.1", port }),
    TcpError,
    `Cannot bind to 127.0.0.1:${port}: Address`,
  );
  assertEquals([error.code, error.errno], ["EADDRINUSE", 98]);
});

Deno.test("a server that is not bound, bound twice, served twice or closed says so", async () => {
  const server = new Serves(() => {});
  assertEquals((await assertRejects(() => server.serve(), TcpError)).code, "EINVAL");
  assertEquals(assertThrows(() => server.sockname, TcpError).code, "EINVAL");
  server.bind({ hostname: "127.0.0.1", port: 0 });
  assertEquals(assertThrows(() => server.bind({ port: 0 }), TcpError).code, "EINVAL");
  const serving = spawn(() => server.serve());
  await sleep(0);
  assertEquals((await assertRejects(() => server.serve(), TcpError)).code, "EALREADY");
  server.close();
  server.close();
  assert(await serving.join());
  assertEquals((await assertRejects(() => server.serve(), TcpError)).code, "ECLOSED");
  assertEquals(assertThrows(() => server.bind({ port: 0 }), TcpError).code, "ECLOSED");
});

Deno.test("when handleConnection returns, what is buffered is sent and the connection closed", async () => {
  const big = "x".repeat(3_000_000);
  using server = Serves.start((connection) => void connection.write(big));
  const client = await connected(server);
  let count = 0;
  for await (const chunk of client) count += chunk.length;
  assertEquals(count, big.length);
  await until(() => server.connections.length === 0);
  client.close();
});

Deno.test("an error in handleConnection is reported, and closes that connection only", async () => {
  const contexts = await reported(async () => {
    using server = Serves.start(async (connection) => {
      if (text(await connection.read()) === "fail") throw new Error("in the handler");
      await connection.write("fine");
    });
    const [good, bad] = [await connected(server), await connected(server)];
    await bad.write("fail");
    assertEquals(await bad.read(), null);
    await good.write("go on");
    assertEquals(text(await good.readBytes(4)), "fine");
    good.close();
    bad.close();
  });
  assertEquals(contexts.map(({ error }) => (error as Error).message), ["in the handler"]);
  assertMatch(contexts[0].task!.name, /^Serves with 127\.0\.0\.1:\d+$/);
});

Deno.test("close() kills the connections' tasks, closes the connections, and nothing is reported", async () => {
  const log: unknown[] = [];
  let begun = 0;
  const contexts = await reported(async () => {
    const server = new Serves(async (connection) => {
      try {
        begun++;
        await connection.read();
      } catch (error) {
        log.push(error instanceof TaskExit);
        throw error;
      } finally {
        await connection.write("bye"); // It is closed already.
      }
    });
    server.bind({ hostname: "127.0.0.1", port: 0 });
    const serving = spawn(() => server.serve());
    const clients = [await connected(server), await connected(server)];
    await until(() => begun === 2);
    server.close();
    assert(await serving.join());
    assertEquals(server.connections, []);
    for (const client of clients) {
      assertEquals(await client.read().catch(() => null), null);
      client.close();
    }
  });
  assertEquals([log, contexts], [[true, true], []]);
});

Deno.test("a handler may close its server", async () => {
  const server = new Serves((connection) => {
    connection.server!.close();
  });
  server.bind({ hostname: "127.0.0.1", port: 0 });
  const serving = spawn(() => server.serve());
  const client = await connected(server);
  assert(await serving.join());
  client.close();
});

Deno.test("clients beyond maxConnections wait to be accepted", async () => {
  using server = new Serves(async (connection) => {
    await connection.write("welcome");
    await connection.read();
  });
  server.maxConnections = 2;
  server.bind({ hostname: "127.0.0.1", port: 0 });
  spawn(() => server.serve());
  const clients = [await connected(server), await connected(server), await connected(server)];
  for (const client of clients.slice(0, 2)) {
    assertEquals(text(await client.readBytes(7)), "welcome");
  }
  await assertRejects(() => clients[2].read(undefined, { timeout: 20 }), TimeoutError);
  assertEquals(server.connections.length, 2);
  clients[0].close();
  assertEquals(text(await clients[2].readBytes(7)), "welcome");
  for (const client of clients) client.close();
});

Deno.test("a serve() that is killed leaves the server bound, and no client is lost", async () => {
  const server = new Serves((connection) => connection.write("hello"));
  server.bind({ hostname: "127.0.0.1", port: 0 });
  for (let round = 0; round < 3; round++) {
    const serving = spawn(() => server.serve());
    await sleep(1);
    serving.kill();
    await serving.join();
    const client = await connected(server);
    const again = spawn(() => server.serve());
    assertEquals(text(await client.readBytes(5)), "hello");
    again.kill();
    await again.join();
    client.close();
  }
  server.close();
});

Deno.test("a peer that resets the connection is an error with the code ECONNRESET", async () => {
  using server = KeepingServer.start();
  const peer = net.connect(server.sockname.port, "127.0.0.1");
  // Before it is told that it is connected, it would only close.
  await cooperate(new Promise((resolve) => peer.once("connect", resolve)));
  await server.arrived.wait();
  const [connection] = server.kept;
  const reading = assertRejects(() => connection.read(), TcpError);
  await sleep(1);
  peer.resetAndDestroy();
  const error = await reading;
  assertEquals([error.code, error.errno], ["ECONNRESET", 104]);
  assertMatch(error.message, /^Cannot read from 127\.0\.0\.1:\d+: Connection reset/);
  const failed = await assertRejects(async () => {
    for (let i = 0; i < 100; i++) await connection.write("x");
  }, TcpError);
  assertEquals(failed.code, "EPIPE");
});

Deno.test("many clients at once are each served", async () => {
  using server = Serves.start(async (connection) => {
    for await (const line of connection.lines()) await connection.write(`${line}!\n`);
  });
  const clients = await Promise.all(Array.from({ length: 100 }, () => connected(server)));
  await Promise.all(clients.map(async (client, i) => {
    for (let round = 0; round < 20; round++) {
      await client.write(`${i} ${round}\n`);
      assertEquals(text(await client.readUntil("\n")), `${i} ${round}!\n`);
    }
    client.close();
  }));
  await until(() => server.connections.length === 0);
});

Deno.test("connect() comes from the source address it is given", async () => {
  using server = Serves.start(async (connection) => {
    await connection.write(connection.peername.hostname);
    await connection.write(await connection.read() ?? "");
  });
  const client = new TcpClient();
  await client.connect(server.sockname, { sourceAddress: { hostname: "127.0.0.2" } });
  assertEquals(client.sockname.hostname, "127.0.0.2");
  assertEquals(client.peername, server.sockname);
  assertEquals(text(await client.readBytes(9)), "127.0.0.2");
  assertEquals(await client.write("x"), true);
  await client.shutdown();
  assertEquals(text(await client.read()), "x");
  assertEquals(await client.read(), null);
  client.setNoDelay();
  client.setKeepAlive();
  client.close();
  const other = new TcpClient();
  const error = await assertRejects(
    () => other.connect(server.sockname, { sourceAddress: { hostname: "192.0.2.1" } }),
    TcpError,
  );
  assertMatch(error.code, /^(EADDRNOTAVAIL|EINVAL)$/);
});

Deno.test("connect() by name tries each of its addresses", async () => {
  // Where the name has one address only, that is all there is to try.
  for (const { address: hostname } of await lookup("localhost", { all: true })) {
    using server = new Serves((connection) => connection.write("hello"));
    server.bind({ hostname, port: 0 });
    spawn(() => server.serve());
    const client = new TcpClient();
    await client.connect({ hostname: "localhost", port: server.sockname.port });
    assertEquals(text(await client.readBytes(5)), "hello");
    assertEquals(client.peername.hostname, hostname);
    client.close();
  }
});

Deno.test("a server closes connections on which nothing goes for too long, and no others", async () => {
  using server = new Serves(async (connection) => {
    for await (const data of connection) await connection.write(data);
  });
  server.idleTimeout = 60;
  server.bind({ hostname: "127.0.0.1", port: 0 });
  spawn(() => server.serve());
  const [idle, busy] = [await connected(server), await connected(server)];
  const talk = spawn(async () => {
    for (let i = 0; i < 30; i++) {
      await busy.write("x");
      await busy.readBytes(1);
      await sleep(10);
    }
  });
  assertEquals(await idle.read(), null);
  assert(talk.isAlive());
  await talk.join();
  assertEquals([busy.bytesRead, busy.bytesWritten], [30, 30]);
  idle.close();
  busy.close();
});

Deno.test("a write beyond maxBuffered is a BufferLimitError, and none of it is sent", async () => {
  const outcome: unknown[] = [];
  const done = new Event();
  using server = new Serves(async (connection) => {
    const piece = new Uint8Array(60_000);
    let written = 0;
    try {
      while (true) {
        await connection.write(piece, { timeout: 20 }).catch((error) => {
          if (!(error instanceof TimeoutError)) throw error;
        });
        written += piece.length;
      }
    } catch (error) {
      outcome.push((error as Error).name, connection.buffered <= 100_000, written);
      done.set();
      await connection.flush();
    }
  });
  server.maxBuffered = 100_000;
  server.bind({ hostname: "127.0.0.1", port: 0 });
  spawn(() => server.serve());
  const client = await connected(server);
  await done.wait();
  let count = 0;
  for await (const chunk of client) count += chunk.length;
  assertEquals(outcome, ["BufferLimitError", true, count]);
  client.close();
});

Deno.test("a server closes connections beyond maxConnectionsPerPeer", async () => {
  using server = new Serves(async (connection) => {
    await connection.write("welcome");
    await connection.read();
  });
  server.maxConnectionsPerPeer = 1;
  server.bind({ hostname: "127.0.0.1", port: 0 });
  spawn(() => server.serve());
  const first = await connected(server);
  assertEquals(text(await first.readBytes(7)), "welcome");
  const second = await connected(server);
  assertEquals(await second.read(), null);
  first.close();
  await until(() => server.connections.length === 0);
  const third = await connected(server);
  assertEquals(text(await third.readBytes(7)), "welcome");
  for (const client of [second, third]) client.close();
});

Deno.test({
  name: "a server that is out of descriptors says so, and goes on when there are some again",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const library = new URL("../../mod.ts", import.meta.url).href;
    const program = `
      import { EventLoop, sleep, spawn, TcpClient, TcpServer } from "${library}";
      class Server extends TcpServer {
        async handleConnection(connection) { await connection.write("hi"); await connection.read(); }
      }
      // The platform makes what it needs for signals when it has the time, and panics if it cannot.
      const listener = () => {};
      Deno.addSignalListener("SIGUSR2", listener);
      Deno.removeSignalListener("SIGUSR2", listener);
      const reports = [];
      EventLoop.current().setExceptionHandler(({ error, message }) => reports.push([error.code, message]));
      const server = new Server();
      server.bind({ hostname: "127.0.0.1", port: 0 });
      spawn(() => server.serve());
      await sleep(10);
      const client = new TcpClient();
      await client.connect(server.sockname);
      await client.readBytes(2);
      const files = [];
      try { while (true) files.push(Deno.openSync("/dev/null")); } catch { files.pop().close(); }
      const late = new TcpClient();
      await late.connect(server.sockname);
      while (reports.length === 0) await sleep(10);
      await sleep(300);
      for (const file of files) file.close();
      console.log(new TextDecoder().decode(await late.readBytes(2)), JSON.stringify(reports));
      late.close(); client.close(); server.close();
    `;
    const { stdout, stderr } = await new Deno.Command("bash", {
      args: ["-c", `ulimit -n 100; exec "$0" eval "$1"`, Deno.execPath(), program],
    }).output();
    assertEquals(text(stderr), "");
    assertEquals(
      text(stdout),
      `hi [["EMFILE","Server cannot accept clients, and goes on trying"]]\n`,
    );
  },
});
