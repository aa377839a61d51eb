import { assert, assertEquals } from "@std/assert";
import {
  cooperate,
  errno,
  EventLoop,
  sleep,
  spawn,
  TcpClient,
  type TlsAddress,
  TlsClient,
  type TlsConnection,
  TlsError,
  TlsServer,
  type TlsTarget,
} from "../../mod.ts";
import { certificate, identity, trust } from "./_kinds.ts";
import { text } from "./_scripted.ts";

const CERTIFICATES = new URL("_certificates/", import.meta.url).pathname;

class Greeter extends TlsServer {
  override async handleConnection(connection: TlsConnection): Promise<void> {
    await connection.write("hello\n");
    await connection.read().catch((error) => {
      if (!(error instanceof TlsError)) throw error;
    });
  }
}

/** What a server reports while `body` runs; waits until it has reported so much. */
async function reportedBy(
  count: number,
  { handshakeTimeout, ...options }: Partial<TlsAddress> & { handshakeTimeout?: number },
  body: (port: number, server: TlsServer) => Promise<void>,
): Promise<TlsError[]> {
  const errors: unknown[] = [];
  const loop = EventLoop.current();
  loop.setExceptionHandler(({ error }) => errors.push(error));
  try {
    using server = new Greeter();
    if (handshakeTimeout !== undefined) server.handshakeTimeout = handshakeTimeout;
    server.bind({ hostname: "127.0.0.1", port: 0, ...identity, ...options });
    spawn(() => server.serve());
    await sleep(0);
    await body(server.sockname.port, server);
    for (let i = 0; i < 1_000 && errors.length < count; i++) await sleep(5);
  } finally {
    loop.setExceptionHandler(null);
  }
  assertEquals(errors.length, count);
  return errors as TlsError[];
}

/** Asserts all that an error of TLS must say. */
function check(error: unknown, code: string, address: string | RegExp, what: RegExp): void {
  assert(error instanceof TlsError, Deno.inspect(error));
  assertEquals(error.code, code, error.message);
  assertEquals(error.errno, errno[code as "EPROTO"] ?? 0);
  assert(typeof address === "string" ? error.address === address : address.test(error.address!));
  assert(what.test(error.message), error.message);
  assert(error.message.includes(error.address!));
  assert(error.cause instanceof Error);
}

/** What a client of ours fails with, in connecting or in the first read: TLS 1.3 may tell only then. */
async function failureWith(target: TlsTarget): Promise<unknown> {
  const client = new TlsClient();
  try {
    await client.connect(target, { timeout: 10_000 });
    return await client.read(undefined, { timeout: 10_000 });
  } catch (error) {
    return error;
  } finally {
    client.close();
  }
}

const CLIENT = /^127\.0\.0\.1:\d+$/;

/** What a client says that does not end its handshake, and what the server has of that. */
const hostile: [string, string, (client: TcpClient) => Promise<unknown>][] = [
  ["goes at once", "ECONNRESET", () => Promise.resolve()],
  [
    "goes in the middle of its first message",
    "ECONNRESET",
    (client) => client.write(new Uint8Array([22, 3, 1, 2, 0, 1])),
  ],
  ["speaks HTTP", "ERR_TLS_NOT_TLS", (client) => client.write("GET / HTTP/1.1\r\n\r\n")],
  ["speaks nonsense", "ERR_TLS_NOT_TLS", (client) => client.write(new Uint8Array(100))],
  [
    "sends a first message that is none",
    "EPROTO",
    (client) => client.write(new Uint8Array([22, 3, 1, 0, 4, 1, 0, 0, 0])),
  ],
];

for (const [what, code, act] of hostile) {
  Deno.test(`a TLS client that ${what} is an error of its own task: ${code}`, async () => {
    const [error] = await reportedBy(1, {}, async (port) => {
      const client = new TcpClient();
      await client.connect({ hostname: "127.0.0.1", port });
      await act(client);
      if (code !== "ECONNRESET") await client.read(undefined, { timeout: 10_000 }).catch(() => {});
      client.close();
    });
    check(error, code, CLIENT, /^Cannot make a handshake with /);
  });
}

Deno.test("a server that ends in the handshake, or does not speak TLS, is an error of connect()", async () => {
  for (const [answer, code] of [["", "ECONNRESET"], ["220 hello\r\n", "ERR_TLS_NOT_TLS"]]) {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const serving = (async () => {
      const connection = await listener.accept();
      await connection.read(new Uint8Array(10_000));
      if (answer !== "") await connection.write(new TextEncoder().encode(answer));
      connection.close();
    })();
    const { port } = listener.addr;
    const error = await failureWith({ hostname: "localhost", port, ...trust });
    check(error, code, `localhost:${port}`, /^Cannot connect to /);
    await serving;
    listener.close();
  }
});

Deno.test("certificates and keys that are none are errors of connect()", async () => {
  const nonsense: [Partial<TlsTarget>, RegExp][] = [
    [{ cert: "nonsense", key: "nonsense" }, /No certificates/],
    [{ ...identity, key: "nonsense" }, /No keys/],
    [{ ...identity, key: certificate("elsewhere.key") }, /KeyMismatch/],
  ];
  await reportedBy(0, {}, async (port) => {
    for (const [options, why] of nonsense) {
      const error = await failureWith({ hostname: "localhost", port, ...trust, ...options });
      assert(error instanceof TlsError, Deno.inspect(error));
      assertEquals(error.address, `localhost:${port}`);
      assert(why.test(error.message), error.message);
      assert(error.cause instanceof Error && error.code !== "UNKNOWN", error.code);
    }
  });
});

/** Clients that never finish their handshakes. */
async function silentClients(count: number, port: number): Promise<TcpClient[]> {
  const clients: TcpClient[] = [];
  for (let i = 0; i < count; i++) {
    const client = new TcpClient();
    await client.connect({ hostname: "127.0.0.1", port });
    if (i % 2 === 0) await client.write(new Uint8Array([22, 3, 1, 2, 0]));
    clients.push(client);
  }
  return clients;
}

Deno.test("hundreds of clients that never finish their handshakes hold up nobody", async () => {
  await reportedBy(0, {}, async (port, server) => {
    const silent = await silentClients(300, port);
    for (let i = 0; i < 5; i++) {
      const client = new TlsClient();
      await client.connect({ hostname: "localhost", port, ...trust });
      assertEquals(text(await client.readUntil("\n")), "hello\n");
      client.close();
    }
    // The server goes first, or it would have an error to report for each.
    server.close();
    for (const client of silent) client.close();
  });
});

Deno.test("each client that takes too long for its handshake is given up and reported", async () => {
  let silent: TcpClient[] = [];
  const errors = await reportedBy(20, { handshakeTimeout: 50 }, async (port) => {
    silent = await silentClients(20, port);
  });
  for (const error of errors) check(error, "ETIMEDOUT", CLIENT, /it took longer than 50 ms$/);
  // What the platform keeps of them it lets go with the clients.
  for (const client of silent) client.close();
});

function hasOpenssl(): boolean {
  try {
    return new Deno.Command("openssl", { args: ["version"], stdout: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

const ignore = !hasOpenssl();

Deno.test({
  name: "openssl s_client that speaks only an old TLS is refused, and told so",
  ignore,
  async fn() {
    const [error] = await reportedBy(1, {}, async (port) => {
      const { code, stderr } = await cooperate(
        new Deno.Command("openssl", {
          args: [
            "s_client",
            "-tls1_1",
            "-cipher",
            "ALL:@SECLEVEL=0",
            "-connect",
            `127.0.0.1:${port}`,
          ],
          stdin: "null",
          stdout: "null",
          stderr: "piped",
        }).output(),
      );
      assert(code !== 0 && new TextDecoder().decode(stderr).includes("alert"));
    });
    check(error, "ERR_TLS_PROTOCOL_VERSION", CLIENT, /peer is incompatible/);
  },
});

/** Has `openssl s_server` while `body` runs. */
async function withOpenssl(
  options: string[],
  body: (target: TlsTarget) => Promise<void>,
): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const args = [
    ["s_server", "-quiet", "-port", String(port)],
    ["-cert", `${CERTIFICATES}localhost.pem`, "-key", `${CERTIFICATES}localhost.key`],
    options,
  ].flat();
  const [stdin, stdout, stderr] = ["null", "null", "null"] as const;
  const server = new Deno.Command("openssl", { args, stdin, stdout, stderr }).spawn();
  try {
    for (let listening = false; !listening;) {
      const probe = new TcpClient();
      listening = await probe.connect({ hostname: "127.0.0.1", port }).then(
        () => true,
        () => false,
      );
      probe.close();
      if (!listening) await sleep(10);
    }
    await body({ hostname: "localhost", port, ...trust });
  } finally {
    server.kill("SIGKILL");
    await server.status;
  }
}

const demanding: [string, string, string[], Partial<TlsTarget>][] = [
  [
    "speaks only an old TLS",
    "ERR_TLS_PROTOCOL_VERSION",
    ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
    {},
  ],
  ["wants a certificate of the client, in TLS 1.3", "ERR_TLS_ALERT", ["-Verify", "1"], {}],
  [
    "wants a certificate of the client, in TLS 1.2",
    "ERR_TLS_ALERT",
    ["-Verify", "1", "-tls1_2"],
    {},
  ],
  [
    "does not trust the client's certificate",
    "ERR_TLS_ALERT",
    ["-Verify", "1", "-verify_return_error", "-CAfile", `${CERTIFICATES}localhost.pem`],
    { cert: certificate("elsewhere.pem"), key: certificate("elsewhere.key") },
  ],
];

for (const [what, code, options, own] of demanding) {
  Deno.test({
    name: `openssl s_server that ${what} is an error with the code ${code}`,
    ignore,
    async fn() {
      await withOpenssl(options, async (target) => {
        const error = await failureWith({ ...target, ...own });
        const address = `localhost:${target.port}`;
        check(error, code, address, /^Cannot (connect to|read from) .*received fatal alert/);
      });
    },
  });
}

Deno.test({
  name:
    "a certificate that is signed by itself is refused, though it is an authority that is trusted",
  ignore,
  async fn() {
    const folder = await Deno.makeTempDir();
    const [cert, key] = [`${folder}/cert`, `${folder}/key`];
    const { success } = await new Deno.Command("openssl", {
      args: [
        ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
        ["-keyout", key, "-out", cert, "-days", "10", "-subj", "/CN=localhost"],
        ["-addext", "subjectAltName=DNS:localhost"],
      ].flat(),
      stderr: "null",
    }).output();
    assert(success);
    const own = { cert: await Deno.readTextFile(cert), key: await Deno.readTextFile(key) };
    await Deno.remove(folder, { recursive: true });
    const errors = await reportedBy(2, own, async (port) => {
      for (const caCerts of [trust.caCerts, [own.cert]]) {
        const error = await failureWith({ hostname: "localhost", port, caCerts });
        check(error, "ERR_TLS_CERT_INVALID", `localhost:${port}`, /invalid peer certificate/);
      }
    });
    for (const error of errors) check(error, "ERR_TLS_ALERT", CLIENT, /received fatal alert/);
  },
});
