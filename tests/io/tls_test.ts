import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  EventLoop,
  type ExceptionContext,
  sleep,
  spawn,
  TcpClient,
  type TcpConnection,
  TcpServer,
  TimeoutError,
  TlsClient,
  type TlsConnection,
  TlsError,
  TlsServer,
} from "../../mod.ts";
import { certificate, identity, trust } from "./_kinds.ts";
import { text } from "./_scripted.ts";

class Greeter extends TlsServer {
  override async handleConnection(connection: TlsConnection): Promise<void> {
    await connection.write(`hello ${connection.alpnProtocol}\n`);
    // Until the client goes, however it goes.
    await connection.read().catch((error) => {
      if (!(error instanceof TlsError)) throw error;
    });
  }

  static start(options: Partial<Parameters<TlsServer["bind"]>[0]> = {}): Greeter {
    const server = new Greeter();
    server.bind({ hostname: "127.0.0.1", port: 0, ...identity, ...options });
    spawn(() => server.serve());
    return server;
  }
}

/** What nobody caught while `body` runs. */
async function reported(body: () => Promise<void>): Promise<unknown[]> {
  const contexts: ExceptionContext[] = [];
  const loop = EventLoop.current();
  loop.setExceptionHandler((context) => contexts.push(context));
  try {
    await body();
    await sleep(10);
  } finally {
    loop.setExceptionHandler(null);
  }
  return contexts.map(({ error }) => error);
}

Deno.test("a TLS client trusts an authority it is given, and agrees on a protocol", async () => {
  using server = Greeter.start({ alpnProtocols: ["evergreen/1", "other"] });
  const { port } = server.sockname;
  const client = new TlsClient();
  await client.connect({ hostname: "localhost", port, ...trust, alpnProtocols: ["evergreen/1"] });
  assertEquals(client.alpnProtocol, "evergreen/1");
  assertEquals(text(await client.readUntil("\n")), "hello evergreen/1\n");
  assertEquals(client.peername.port, port);
  assertEquals(client.sockname.port, server.connections[0].peername.port);
  client.close();
  const plain = new TlsClient();
  await plain.connect({ hostname: "127.0.0.1", port, ...trust });
  assertEquals(plain.alpnProtocol, null);
  plain.close();
});

for (
  const [how, server, target, code] of [
    ["by nobody who is trusted", {}, {}, "UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
    [
      "for somebody else",
      { cert: certificate("elsewhere.pem"), key: certificate("elsewhere.key") },
      trust,
      "ERR_TLS_CERT_ALTNAME_INVALID",
    ],
    [
      "that has expired",
      { cert: certificate("expired.pem"), key: certificate("expired.key") },
      trust,
      "CERT_HAS_EXPIRED",
    ],
  ] as [string, object, object, string][]
) {
  Deno.test(`a certificate ${how} is refused with the code ${code}`, async () => {
    const errors = await reported(async () => {
      using greeter = Greeter.start(server);
      const { port } = greeter.sockname;
      const client = new TlsClient();
      const error = await assertRejects(
        () => client.connect({ hostname: "localhost", port, ...target }),
        TlsError,
        `Cannot connect to localhost:${port}: invalid peer certificate`,
      );
      assertEquals([error.code, error.name], [code, "TlsError"]);
      assert(error.cause instanceof Deno.errors.InvalidData);
      client.close();
      await sleep(10);
    });
    // The server is told by the client, and says so.
    assert(errors[0] instanceof TlsError);
    assertEquals(errors[0].code, "ERR_TLS_ALERT");
  });
}

Deno.test("no common protocol is an error on both sides", async () => {
  const errors = await reported(async () => {
    using server = Greeter.start({ alpnProtocols: ["a"] });
    const { port } = server.sockname;
    const client = new TlsClient();
    const error = await assertRejects(
      () => client.connect({ hostname: "localhost", port, ...trust, alpnProtocols: ["b"] }),
      TlsError,
    );
    assertEquals(error.code, "ERR_TLS_NO_APPLICATION_PROTOCOL");
    await sleep(10);
  });
  assertEquals((errors[0] as TlsError).code, "ERR_TLS_NO_APPLICATION_PROTOCOL");
});

Deno.test("a server or a client that does not speak TLS is an error", async () => {
  const errors = await reported(async () => {
    using server = Greeter.start();
    const plain = new TcpClient();
    await plain.connect(server.sockname);
    await plain.write("GET / HTTP/1.1\r\n\r\n");
    await plain.read().catch(() => {});
    plain.close();
    await sleep(10);
  });
  assertEquals((errors[0] as TlsError).code, "ERR_TLS_NOT_TLS");
  using server = new class extends TcpServer {
    override handleConnection = (connection: TcpConnection) => connection.write("hello, plainly\n");
  }();
  server.bind({ hostname: "127.0.0.1", port: 0 });
  spawn(() => server.serve());
  const client = new TlsClient();
  const error = await assertRejects(
    () => client.connect({ hostname: "localhost", port: server.sockname.port, ...trust }),
    TlsError,
  );
  assertEquals(error.code, "ERR_TLS_NOT_TLS");
});

Deno.test("a certificate or key that is none is refused by bind()", () => {
  using server = new Greeter();
  const bind = (options: object) => () =>
    server.bind({ hostname: "127.0.0.1", port: 0, ...identity, ...options });
  assertThrows(bind({ cert: "nonsense" }), TlsError, "Cannot bind to 127.0.0.1:0: No certificates");
  assertThrows(bind({ key: certificate("elsewhere.key") }), TlsError, "KeyMismatch");
  bind({})();
});

Deno.test("a client that does not finish its handshake holds up nobody, and is left in time", async () => {
  const errors = await reported(async () => {
    using server = Greeter.start();
    server.handshakeTimeout = 500;
    const silent = new TcpClient();
    await silent.connect(server.sockname);
    const client = new TlsClient();
    await client.connect({ hostname: "localhost", port: server.sockname.port, ...trust });
    assertEquals(text(await client.readUntil("\n")), "hello null\n");
    client.close();
    while (server.connections.length > 0) await sleep(5);
    silent.close();
  });
  const [error] = errors as [TlsError];
  assertEquals([errors.length, error.name, error.code], [1, "TlsError", "ETIMEDOUT"]);
  assert(
    /^Cannot make a handshake with 127.0.0.1:\d+: it took longer than 500 ms$/.test(error.message),
  );
  assert(error.cause instanceof TimeoutError);
});

Deno.test("connect() that is killed or times out during the handshake can be repeated", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const target = { hostname: "localhost", port: listener.addr.port, ...trust };
  const client = new TlsClient();
  await assertRejects(() => client.connect(target, { timeout: 10 }), TimeoutError);
  const task = spawn(() => client.connect(target));
  await sleep(10);
  task.kill();
  await task.join();
  listener.close();
  using server = Greeter.start();
  await client.connect({ ...target, port: server.sockname.port });
  assertEquals(text(await client.readUntil("\n")), "hello null\n");
  client.close();
});

Deno.test("startTls() refuses bytes that came before the handshake, and a second one", async () => {
  using plain = new class extends TcpServer {
    override async handleConnection(connection: TcpConnection): Promise<void> {
      await connection.write("220 ready\r\ninjected");
      await connection.read();
    }
  }();
  plain.bind({ hostname: "127.0.0.1", port: 0 });
  spawn(() => plain.serve());
  const client = new TcpClient();
  await client.connect(plain.sockname);
  await client.readUntil("\r\n");
  assertEquals(
    (await assertRejects(() => client.startTls(trust), Error) as TlsError).code,
    "EBUSY",
  );
  client.close();

  using server = Greeter.start();
  const other = new TcpClient();
  await other.connect({ hostname: "localhost", port: server.sockname.port });
  await other.startTls({ ...trust });
  assertEquals(text(await other.readUntil("\n")), "hello null\n");
  assertEquals(other.alpnProtocol, null);
  await assertRejects(() => other.startTls(trust));
  other.close();
});

Deno.test("startTls() that fails closes the client, with a TlsError", async () => {
  const errors = await reported(async () => {
    using server = Greeter.start();
    const client = new TcpClient();
    await client.connect({ hostname: "127.0.0.1", port: server.sockname.port });
    const error = await assertRejects(() => client.startTls({}), TlsError);
    assertEquals(error.code, "UNABLE_TO_VERIFY_LEAF_SIGNATURE");
    assert(client.closed);
    await sleep(10);
  });
  assertEquals(errors.length, 1);
});

Deno.test({
  name: "openssl s_client talks to a server of ours",
  ignore: !hasOpenssl(),
  async fn() {
    using server = Greeter.start();
    await sleep(0);
    const ca = new URL("_certificates/ca.pem", import.meta.url).pathname;
    const process = new Deno.Command("openssl", {
      args: [
        "s_client",
        "-quiet",
        "-verify_return_error",
        "-verify_hostname",
        "localhost",
        "-CAfile",
        ca,
        "-connect",
        `127.0.0.1:${server.sockname.port}`,
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const reader = process.stdout.getReader();
    let answer = "";
    while (!answer.endsWith("\n")) answer += text((await reader.read()).value!);
    assertEquals(answer, "hello null\n");
    reader.releaseLock();
    await process.stdin.close();
    process.kill();
    await process.output();
  },
});

Deno.test({
  name: "a client of ours talks to openssl s_server",
  ignore: !hasOpenssl(),
  async fn() {
    const folder = new URL("_certificates/", import.meta.url).pathname;
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    listener.close();
    const process = new Deno.Command("openssl", {
      args: [
        "s_server",
        "-rev",
        "-quiet",
        "-port",
        String(port),
        "-cert",
        `${folder}localhost.pem`,
        "-key",
        `${folder}localhost.key`,
      ],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const client = new TlsClient();
    for (let connected = false; !connected;) {
      connected = await client.connect({ hostname: "localhost", port, ...trust })
        .then(() => true, () => false);
      if (!connected) await sleep(10);
    }
    await client.write("evergreen\n");
    assertEquals(text(await client.readUntil("\n")), "neergreve\n");
    client.close();
    process.kill();
    await process.status;
  },
});

for (const [how, shown] of [["its certificate", identity], ["no certificate", {}]] as const) {
  Deno.test({
    name: `a client of ours that shows ${how} to an openssl s_server that wants one`,
    ignore: !hasOpenssl(),
    async fn() {
      const folder = new URL("_certificates/", import.meta.url).pathname;
      const process = new Deno.Command("openssl", {
        args: [
          ...["s_server", "-rev", "-accept", "127.0.0.1:0", "-Verify", "1", "-verify_return_error"],
          ...["-CAfile", `${folder}ca.pem`],
          ...["-cert", `${folder}localhost.pem`, "-key", `${folder}localhost.key`],
        ],
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      const reader = process.stdout.getReader();
      let said = "";
      while (!/ACCEPT \S+:(\d+)\s/.test(said)) said += text((await reader.read()).value!);
      reader.releaseLock();
      const port = Number(/ACCEPT \S+:(\d+)\s/.exec(said)![1]);
      const client = new TlsClient();
      const talk = async () => {
        await client.connect({ hostname: "localhost", port, ...trust, ...shown });
        await client.write("evergreen\n");
        return text(await client.readUntil("\n"));
      };
      if ("cert" in shown) {
        assertEquals(await talk(), "neergreve\n");
      } else {
        const error = await assertRejects(talk, TlsError);
        assertEquals(error.code, "ERR_TLS_ALERT");
      }
      client.close();
      process.kill();
      const { stderr } = await process.output();
      assertEquals(text(stderr)!.includes("CN = localhost"), "cert" in shown, text(stderr)!);
    },
  });
}

function hasOpenssl(): boolean {
  try {
    return new Deno.Command("openssl", { args: ["version"], stdout: "null" }).outputSync().success;
  } catch {
    return false;
  }
}
