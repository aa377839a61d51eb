import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  Event,
  EventLoop,
  type HttpHandler,
  HttpServer,
  type HttpServerOptions,
  serveFiles,
  sleep,
  spawn,
  StreamError,
  TaskExit,
  TcpClient,
  TcpError,
  TimeoutError,
  upgrade,
  WebSocketConnection,
} from "../../mod.ts";
import { text } from "./_scripted.ts";

/** Has a server of `handler` while `body` runs. */
async function withServer(
  handler: HttpHandler,
  body: (url: string, server: HttpServer) => Promise<void>,
  options?: HttpServerOptions,
): Promise<void> {
  const server = new HttpServer(handler, options);
  server.bind({ hostname: "127.0.0.1", port: 0 });
  const serving = spawn(() => server.serve());
  await sleep(0);
  try {
    await body(`http://127.0.0.1:${server.sockname.port}`, server);
  } finally {
    await server.close();
    await serving.join();
  }
}

async function get(url: string, init?: RequestInit): Promise<[number, string]> {
  const response = await fetch(url, init);
  return [response.status, await response.text()];
}

Deno.test("each request is handled in a task of its own", async () => {
  let active = 0;
  let most = 0;
  await withServer(async (request) => {
    most = Math.max(most, ++active);
    await sleep(20);
    active--;
    return new Response(`${request.method} ${await request.text()}`);
  }, async (url) => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) => get(url, { method: "POST", body: String(i) })),
    );
    assertEquals(answers, Array.from({ length: 10 }, (_, i) => [200, `POST ${i}`]));
    assert(most > 1);
  });
});

Deno.test("an error in a handler is reported and answered 500, and the server goes on", async () => {
  const errors: unknown[] = [];
  const loop = EventLoop.current();
  loop.setExceptionHandler(({ error }) => errors.push(error));
  await withServer((request) => {
    if (request.url.endsWith("/fail")) throw new Error("in the handler");
    if (request.url.endsWith("/nothing")) return;
    return new Response("fine");
  }, async (url) => {
    assertEquals(await get(`${url}/fail`), [500, "Internal Server Error"]);
    assertEquals(await get(`${url}/nothing`), [500, "Internal Server Error"]);
    assertEquals(await get(url), [200, "fine"]);
  });
  loop.setExceptionHandler(null);
  assertEquals(errors.map((error) => (error as Error).message), [
    "in the handler",
    "Cannot answer the request: its handler has returned no Response",
  ]);
});

Deno.test("a request is killed when its client goes away", async () => {
  const ended = new Event();
  let why: unknown;
  await withServer(async () => {
    try {
      await sleep(60_000);
    } catch (error) {
      why = error;
      ended.set();
      throw error;
    }
    return new Response();
  }, async (url) => {
    const abort = new AbortController();
    const request = fetch(url, { signal: abort.signal }).catch(() => {});
    await sleep(30);
    abort.abort();
    await request;
    assert(await ended.wait({ timeout: 5_000 }));
    assert(why instanceof TaskExit);
  });
});

Deno.test("a request that takes too long is answered 503, and those beyond the limit too", async () => {
  await withServer(async (request) => {
    await sleep(request.url.endsWith("/slow") ? 60_000 : 1);
    return new Response("fine");
  }, async (url, server) => {
    const slow = get(`${url}/slow`);
    while (server.active === 0) await sleep(1);
    assertEquals(await get(url), [503, "Service Unavailable"]);
    assertEquals(await slow, [503, "Service Unavailable"]);
    assertEquals(await get(url), [200, "fine"]);
  }, { timeout: 300, maxRequests: 1 });
});

Deno.test("close() with time lets requests end, and kills those that do not", async () => {
  const log: string[] = [];
  const handler: HttpHandler = async (request) => {
    try {
      await sleep(request.url.endsWith("/slow") ? 60_000 : 50);
      log.push("done");
    } catch (error) {
      log.push((error as Error).name);
      throw error;
    }
    return new Response("fine");
  };
  await withServer(handler, async (url, server) => {
    const request = get(url);
    while (server.active === 0) await sleep(1);
    await server.close({ graceful: 5_000 });
    assertEquals(await request, [200, "fine"]);
    await assertRejects(() => fetch(url));
  });
  await withServer(handler, async (url, server) => {
    const request = get(`${url}/slow`).catch(() => {});
    while (server.active === 0) await sleep(1);
    await server.close({ graceful: 20 });
    await request;
  });
  assertEquals(log, ["done", "TaskExit"]);
});

Deno.test("a server that is not bound, bound twice or closed says so", async () => {
  const server = new HttpServer(() => new Response());
  assertEquals((await assertRejects(() => server.serve(), TcpError)).code, "EINVAL");
  server.bind({ hostname: "127.0.0.1", port: 0 });
  const { port } = server.sockname;
  assertEquals(assertThrows(() => server.bind({ port: 0 }), TcpError).code, "EINVAL");
  const other = new HttpServer(() => new Response());
  assertEquals(
    assertThrows(() => other.bind({ hostname: "127.0.0.1", port }), TcpError).code,
    "EADDRINUSE",
  );
  await server.close();
  await server.close();
  assertEquals(assertThrows(() => server.bind({ port: 0 }), TcpError).code, "ECLOSED");
  assertEquals((await assertRejects(() => server.serve(), TcpError)).code, "ECLOSED");
  assertThrows(() => new HttpServer(5 as never), TypeError);
  assertThrows(() => new HttpServer(() => new Response(), { maxRequests: 0 }), RangeError);
});

/** A client's WebSocket that is open. */
async function openSocket(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url.replace("http", "ws"));
  socket.binaryType = "arraybuffer";
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  return socket;
}

function closed(socket: WebSocket): Promise<CloseEvent> {
  return new Promise((resolve) => socket.onclose = resolve);
}

Deno.test("a WebSocket receives and sends texts and bytes, until its handler returns", async () => {
  await withServer(async (request) => {
    await using socket = await upgrade(request);
    for await (const message of socket) {
      if (message === "bye") break;
      await socket.send(message);
    }
  }, async (url) => {
    const socket = await openSocket(url);
    const answers: unknown[] = [];
    socket.onmessage = ({ data }) =>
      answers.push(typeof data === "string" ? data : new Uint8Array(data));
    socket.send("grüße");
    socket.send(new Uint8Array([1, 2, 3]));
    socket.send("bye");
    assertEquals((await closed(socket)).code, 1000);
    assertEquals(answers, ["grüße", new Uint8Array([1, 2, 3])]);
  });
});

Deno.test("a WebSocket's receive() gives null when the client closes, and loses nothing when it times out", async () => {
  const log: unknown[] = [];
  const done = new Event();
  await withServer(async (request) => {
    const socket = await upgrade(request);
    assert(socket instanceof WebSocketConnection);
    try {
      await socket.receive({ timeout: 10 });
    } catch (error) {
      log.push((error as Error).name);
    }
    await socket.send("go");
    log.push(await socket.receive(), await socket.receive(), socket.closed);
    await assertRejects(() => socket.send("late"), StreamError);
    done.set();
  }, async (url) => {
    const socket = await openSocket(url);
    await new Promise((resolve) => socket.onmessage = resolve);
    socket.send("kept");
    socket.close();
    await closed(socket);
    assert(await done.wait({ timeout: 5_000 }));
  });
  assertEquals(log, [TimeoutError.name, "kept", null, true]);
});

Deno.test("a WebSocket message over the limit closes the connection with code 1009", async () => {
  const done = new Event();
  let error: unknown;
  await withServer(async (request) => {
    const socket = await upgrade(request, { maxMessageSize: 10 });
    error = await socket.receive().catch((error) => error);
    done.set();
  }, async (url) => {
    const socket = await openSocket(url);
    socket.send("x".repeat(11));
    assertEquals((await closed(socket)).code, 1009);
    assert(await done.wait({ timeout: 5_000 }));
    assert(error instanceof StreamError);
    assertEquals(error.message, "Cannot receive: a message is over 10 bytes");
  });
});

Deno.test("a WebSocket's send() waits for a client that does not read", async () => {
  const outcome: unknown[] = [];
  const done = new Event();
  await withServer(async (request) => {
    const socket = await upgrade(request);
    const message = new Uint8Array(300_000);
    try {
      for (let i = 0; i < 1_000; i++) await socket.send(message, { timeout: 50 });
    } catch (error) {
      outcome.push((error as Error).name, socket.buffered < 5_000_000);
    }
    done.set();
  }, async (url) => {
    // A client of its own, as the platform's reads all there is.
    const client = new TcpClient();
    await client.connect({ hostname: "127.0.0.1", port: Number(new URL(url).port) });
    await client.write(
      "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    );
    assert(text(await client.readUntil("\r\n\r\n"))?.includes("101"));
    assert(await done.wait({ timeout: 10_000 }));
    client.close();
  });
  assertEquals(outcome, ["TimeoutError", true]);
});

Deno.test("upgrade() of a request that asks for none, or is nobody's, is a TypeError", async () => {
  await withServer(async (request) => {
    await assertRejects(() => upgrade(request), TypeError);
    return new Response("fine");
  }, async (url) => assertEquals(await get(url), [200, "fine"]));
});

Deno.test("serveFiles() gives out the files of a folder, and nothing else", async () => {
  const root = await Deno.makeTempDir();
  const folder = `${root}/public`;
  await Deno.mkdir(`${folder}/sub`, { recursive: true });
  await Deno.writeTextFile(`${root}/secret.txt`, "secret");
  await Deno.mkdir(`${root}/public-too`);
  await Deno.writeTextFile(`${root}/public-too/secret.txt`, "secret");
  await Deno.writeTextFile(`${folder}/index.html`, "<h1>home</h1>");
  await Deno.writeTextFile(`${folder}/sub/a b.txt`, "text");
  await Deno.writeFile(`${folder}/big.bin`, new Uint8Array(1_000_000).fill(7));
  await Deno.symlink(`${root}/secret.txt`, `${folder}/link.txt`);
  await withServer((request) => serveFiles(request, folder), async (url) => {
    const home = await fetch(url);
    assertEquals([home.status, await home.text()], [200, "<h1>home</h1>"]);
    assertEquals(home.headers.get("content-type"), "text/html; charset=UTF-8");
    assertEquals(await get(`${url}/sub/a%20b.txt`), [200, "text"]);
    const big = await fetch(`${url}/big.bin`);
    assertEquals((await big.bytes()).length, 1_000_000);
    const head = await fetch(`${url}/big.bin`, { method: "HEAD" });
    assertEquals([head.headers.get("content-length"), await head.text()], ["1000000", ""]);
    const since = home.headers.get("last-modified")!;
    assertEquals((await get(url, { headers: { "if-modified-since": since } }))[0], 304);
    assertEquals((await get(url, { method: "DELETE" }))[0], 405);
    assertEquals((await get(`${url}/sub`))[0], 404);
    assertEquals((await get(`${url}/nothing`))[0], 404);
    assertEquals((await get(`${url}/link.txt`))[0], 404);
    // As a client sends them that does not tidy up.
    for (
      const path of [
        "/../secret.txt",
        "/sub/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/%2e%2e%2fpublic-too/secret.txt",
        "/..\\secret.txt",
        "/%00",
        "/%ff",
        "//etc/hostname",
      ]
    ) {
      const client = new TcpClient();
      await client.connect({ hostname: "127.0.0.1", port: Number(new URL(url).port) });
      await client.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      const answer = text(await client.readBytes(100_000))!;
      assert(!answer.includes("secret") && !/^HTTP\/1.1 200/.test(answer), `${path}: ${answer}`);
      client.close();
    }
  });
  await Deno.remove(root, { recursive: true });
});
