import { assert, assertEquals, assertMatch } from "@std/assert";
import { sleep, TcpClient, TlsClient, UdpEndpoint } from "../../mod.ts";
import { Example } from "./_process.ts";

const certificates = new URL("../io/_certificates/", import.meta.url).pathname;
const NET = ["--allow-net"];

async function connect(port: number): Promise<TcpClient> {
  const client = new TcpClient();
  await client.connect({ hostname: "127.0.0.1", port });
  return client;
}

function text(bytes: Uint8Array | null): string {
  return new TextDecoder().decode(bytes ?? undefined);
}

Deno.test("examples/chat_server.ts passes lines on, and puts out who reads too slowly", async () => {
  const example = Example.start("chat_server.ts", ["0"], NET);
  const port = await example.port();
  const join = async (name: string) => {
    const client = await connect(port);
    assertEquals(text(await client.readBytes(11)), "Your name? ");
    await client.write(`${name}\n`);
    return client;
  };
  const ann = await join("ann");
  assertEquals(text(await ann.readUntil("\n")), "* ann has come, 1 are here\n");
  const bob = await join("bob");
  assertEquals(text(await bob.readUntil("\n")), "* bob has come, 2 are here\n");
  assertEquals(text(await ann.readUntil("\n")), "* bob has come, 2 are here\n");
  await bob.write("hello\n");
  assertEquals(text(await ann.readUntil("\n")), "bob: hello\n");
  const slow = await join("slow");
  assertEquals(text(await ann.readUntil("\n")), "* slow has come, 3 are here\n");
  const line = "x".repeat(900) + "\n";
  const block = line.repeat(50);
  let put = false;
  const noticed = example.written(/slow reads too slowly/).then(() => put = true);
  while (!put) {
    await bob.write(block);
    for (let i = 0; i < 50; i++) assertEquals((await ann.readUntil("\n"))?.length, 906);
    await sleep(0);
  }
  await noticed;
  assertMatch(text(await ann.readUntil("left\n")), /\* slow has left/);
  const long = await join("long");
  await long.write("y".repeat(2_000));
  assertMatch(text(await long.readUntil("Too long a line\n")), /Too long/);
  for (const client of [bob, slow, long]) client.close();
  assertMatch(
    text(await ann.readUntil("bob has left\n")),
    /bob has left/,
  );
  assertEquals(await example.interrupt(), "");
  ann.close();
});

Deno.test("examples/tls_echo.ts echoes, encrypted", async () => {
  const example = Example.start(
    "tls_echo.ts",
    [`${certificates}localhost.pem`, `${certificates}localhost.key`, "0"],
    ["--allow-net", "--allow-read"],
  );
  const client = new TlsClient();
  await client.connect({
    hostname: "localhost",
    port: await example.port(),
    caCerts: [Deno.readTextFileSync(`${certificates}ca.pem`)],
  });
  await client.write("hello\n");
  assertEquals(text(await client.readUntil("\n")), "hello\n");
  client.close();
  assertEquals(await example.interrupt(), "");
});

Deno.test("examples/udp_echo.ts echoes datagrams", async () => {
  const example = Example.start("udp_echo.ts", ["0"], NET);
  const address = { hostname: "127.0.0.1", port: await example.port() };
  using endpoint = new UdpEndpoint();
  for (const word of ["one", "two"]) {
    await endpoint.send(word, address);
    const [data, from] = await endpoint.receive();
    assertEquals([text(data), from.port], [word, address.port]);
  }
  assertEquals(await example.interrupt(), "");
});

Deno.test("examples/web_app.ts serves a page, data and a WebSocket", async () => {
  const example = Example.start("web_app.ts", ["0"], ["--allow-net", "--allow-read"]);
  const port = await example.port();
  const url = `http://127.0.0.1:${port}`;
  const page = await (await fetch(url)).text();
  assertMatch(page, /<script src="app.js">/);
  const refused = await fetch(`${url}/talk`);
  assertEquals([refused.status, await refused.text()], [426, "This is for WebSockets\n"]);
  const script = await fetch(`${url}/app.js`);
  assertEquals(script.headers.get("content-type"), "text/javascript; charset=UTF-8");
  await script.body?.cancel();
  const sockets = await Promise.all([1, 2].map(async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/talk`);
    await new Promise((resolve) => socket.onopen = resolve);
    return socket;
  }));
  const heard = Promise.all(
    sockets.map((socket) =>
      new Promise((resolve) => socket.onmessage = ({ data }) => resolve(data))
    ),
  );
  sockets[0].send("hello all");
  assertEquals(await heard, ["hello all", "hello all"]);
  assertEquals(await (await fetch(`${url}/status`)).json(), { connected: 2, messages: 1 });
  const gone = Promise.all(
    sockets.map((socket) => new Promise((resolve) => socket.onclose = resolve)),
  );
  // The platform warns of its own change of behaviour, once.
  assert(!/error/i.test(await example.interrupt()));
  await gone;
});
