import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  cooperate,
  HttpServer,
  sleep,
  spawn,
  streamResponse,
  TcpClient,
  TlsClient,
  TlsError,
  upgrade,
} from "../../mod.ts";
import { certificate, identity, trust } from "./_kinds.ts";
import { text } from "./_scripted.ts";

const SOON = { timeout: 10_000 };

/** Has a server that speaks HTTPS while `body` runs. */
async function withSecureServer(
  body: (url: string, server: HttpServer, client: Deno.HttpClient) => Promise<void>,
): Promise<void> {
  const server = new HttpServer(async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/parts") return streamResponse(["a", "b"]);
    if (pathname === "/slow") await sleep(30);
    if (pathname !== "/talk") return new Response(`${request.method} ${request.url}`);
    await using socket = await upgrade(request);
    for await (const message of socket) await socket.send(message);
  });
  server.bind({ hostname: "127.0.0.1", port: 0, ...identity });
  const serving = spawn(() => server.serve());
  await sleep(0);
  const client = Deno.createHttpClient(trust);
  try {
    await body(`https://localhost:${server.sockname.port}`, server, client);
  } finally {
    client.close();
    await server.close();
    await serving.join();
  }
}

Deno.test("a server with a certificate answers who trusts it, also with parts and at its end", async () => {
  await withSecureServer(async (url, server, client) => {
    const get = async (path: string) => {
      const response = await cooperate(fetch(url + path, { client }));
      return await cooperate(response.text());
    };
    assertEquals(await get("/x"), `GET ${url}/x`);
    assertEquals(await get("/parts"), "ab");
    const slow = get("/slow");
    while (server.active === 0) await sleep(1);
    await server.close({ graceful: 10_000 });
    assertEquals(await slow, `GET ${url}/slow`);
  });
});

Deno.test("a WebSocket over TLS is one as any other", async () => {
  await withSecureServer(async (_url, server) => {
    const client = new TlsClient();
    await client.connect({ hostname: "localhost", port: server.sockname.port, ...trust });
    await client.write(
      "GET /talk HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    );
    assert(text(await client.readUntil("\r\n\r\n", SOON))?.startsWith("HTTP/1.1 101"));
    await client.write(new Uint8Array([0x81, 0x82, 0, 0, 0, 0, 104, 105]));
    assertEquals(await client.readBytes(4, SOON), new Uint8Array([0x81, 2, 104, 105]));
    client.close();
  });
});

Deno.test("clients that do not finish their handshake hold up no other, nor the end of the server beyond its time", async () => {
  await withSecureServer(async (url, server, client) => {
    const silent = await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const each = new TcpClient();
        await each.connect({ hostname: "127.0.0.1", port: server.sockname.port });
        if (i % 2 === 0) await each.write(new Uint8Array([22, 3, 1, 2, 0]));
        return each;
      }),
    );
    const response = await cooperate(fetch(url, { client }));
    assertEquals(await cooperate(response.text()), `GET ${url}/`);
    assert(await spawn(() => server.close({ graceful: 100 })).join(SOON));
    for (const each of silent) each.close();
    await sleep(10);
  });
});

Deno.test("a certificate that is none, or without its key, is refused by bind()", () => {
  const bind = (options: object) => () =>
    new HttpServer(() => new Response()).bind({ hostname: "127.0.0.1", port: 0, ...options });
  const error = assertThrows(bind({ ...identity, cert: "nonsense" }), TlsError, "Cannot bind to");
  assertEquals([error.code, error.address], ["EINVAL", "127.0.0.1:0"]);
  const other = assertThrows(bind({ ...identity, key: certificate("elsewhere.key") }), TlsError);
  assertEquals(other.code, "ERR_OSSL_X509_KEY_VALUES_MISMATCH");
  assertThrows(bind({ cert: identity.cert }), TypeError);
  assertThrows(bind({ key: identity.key }), TypeError);
});

Deno.test({
  name: "curl talks HTTP/2 over TLS to a server with a certificate",
  ignore: !hasCurl(),
  async fn() {
    await withSecureServer(async (url) => {
      const ca = new URL("_certificates/ca.pem", import.meta.url).pathname;
      const args = ["-sS", "--http2", "--cacert", ca, "-w", " %{http_version}", `${url}/x`];
      const { stdout, success } = await cooperate(new Deno.Command("curl", { args }).output());
      assert(success);
      assertEquals(text(stdout), `GET ${url}/x 2`);
    });
  },
});

function hasCurl(): boolean {
  try {
    return new Deno.Command("curl", { args: ["--version"], stdout: "null" }).outputSync().success;
  } catch {
    return false;
  }
}
