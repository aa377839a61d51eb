import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  Channel,
  cooperate,
  Event,
  EventLoop,
  HttpServer,
  Queue,
  sleep,
  spawn,
  streamResponse,
  Task,
  TaskExit,
  TcpClient,
  TcpError,
} from "../../mod.ts";
import { runProgram } from "../run_program.ts";
import { text } from "./_scripted.ts";
import { withServer } from "./_with_server.ts";

/** How long something that must happen may take. */
const SOON = { timeout: 10_000 };

/** A client that says what it likes. */
class RawClient extends TcpClient {
  static async open(url: string, said = ""): Promise<RawClient> {
    const client = new RawClient();
    await client.connect({ hostname: "127.0.0.1", port: Number(new URL(url).port) });
    if (said !== "") await client.write(said);
    return client;
  }

  /** The status and the body of the next answer; `null` at the end. */
  async answer(): Promise<[number, string] | null> {
    const head = text(await this.readUntil("\r\n\r\n", SOON));
    if (head === null) return null;
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
    return [Number(head.split(" ")[1]), text(await this.readBytes(length, SOON)) ?? ""];
  }
}

function request(method: string, path: string, headers = ""): string {
  return `${method} ${path} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`;
}

async function get(url: string): Promise<[number, string]> {
  const response = await cooperate(fetch(url));
  return [response.status, await cooperate(response.text())];
}

/** What is given to the exception handler while `body` runs. */
async function reported(body: () => Promise<void>): Promise<unknown[]> {
  const errors: unknown[] = [];
  const loop = EventLoop.current();
  loop.setExceptionHandler(({ error }) => errors.push(error));
  try {
    await body();
  } finally {
    loop.setExceptionHandler(null);
  }
  return errors;
}

Deno.test("a request whose client goes away while it sends the body is killed, quietly", async () => {
  const how = new Queue<unknown>();
  const errors = await reported(() =>
    withServer(async (request) => {
      const task = Task.current();
      try {
        return new Response(await cooperate(request.text()));
      } catch (error) {
        how.putNowait(error);
        how.putNowait(task.signal.aborted);
        throw error;
      }
    }, async (url, server) => {
      const client = await RawClient.open(
        url,
        request("POST", "/", "Content-Length: 9\r\n") + "abc",
      );
      while (server.active === 0) await sleep(1);
      client.close();
      assert(await how.get(SOON) instanceof Error);
      await how.get(SOON);
      assertEquals((await get(url))[0], 200);
    })
  );
  assertEquals(errors, []);
});

Deno.test("a body that is made in the task is sent as it comes, and killed when its client goes away", async () => {
  const channel = new Channel<string>();
  const ended = new Queue<unknown>();
  async function* parts() {
    try {
      yield "first,";
      while (true) yield await channel.receive();
    } catch (error) {
      ended.putNowait(error);
      throw error;
    }
  }
  await withServer(() => streamResponse(parts()), async (url, server) => {
    const client = await RawClient.open(url, request("GET", "/"));
    assert(text(await client.readUntil("first,", SOON))?.startsWith("HTTP/1.1 200"));
    await channel.send("second,", SOON);
    await client.readUntil("second,", SOON);
    assertEquals(server.active, 1);
    client.close();
    assert(await ended.get(SOON) instanceof TaskExit);
    while (server.active > 0) await sleep(1);
  });
});

Deno.test("a body that is made in the task waits for a client that does not read", async () => {
  let made = 0;
  const ended = new Event();
  function* parts() {
    try {
      while (true) {
        made++;
        yield new Uint8Array(100_000);
      }
    } finally {
      ended.set();
    }
  }
  await withServer(() => streamResponse(parts()), async (url) => {
    const client = await RawClient.open(url, request("GET", "/"));
    for (let before = -1; before !== made;) {
      before = made;
      await sleep(100);
    }
    assert(made < 200, `${made}`);
    client.close();
    assert(await ended.wait(SOON));
  });
});

Deno.test("a body whose making fails is cut, and the error reported", async () => {
  async function* parts() {
    yield "beginning";
    await sleep(1);
    throw new Error("no more");
  }
  const errors = await reported(() =>
    withServer((request) => {
      if (request.url.endsWith("/number")) return streamResponse([5] as never);
      return request.url.endsWith("/whole")
        ? streamResponse(["a", new Uint8Array([98])], { status: 201, headers: { "x-y": "z" } })
        : streamResponse(parts());
    }, async (url) => {
      await assertRejects(() => get(url));
      await assertRejects(() => get(`${url}/number`));
      const response = await cooperate(fetch(`${url}/whole`));
      assertEquals([response.status, response.headers.get("x-y")], [201, "z"]);
      assertEquals(await cooperate(response.text()), "ab");
      const head = await cooperate(fetch(url, { method: "HEAD" }));
      assertEquals([head.status, await head.text()], [200, ""]);
    })
  );
  assertEquals((errors[0] as Error).message, "no more");
  assertEquals((errors[1] as Error).constructor, TypeError);
  await assertRejects(async () => await streamResponse("text" as never), TypeError);
  await assertRejects(async () => await streamResponse(null as never), TypeError);
});

Deno.test("requests on one connection, pipelined or not, are tasks of their own and answered in order", async () => {
  const tasks = new Set<Task>();
  await withServer(async (request) => {
    tasks.add(Task.current());
    const { pathname } = new URL(request.url);
    if (pathname === "/slow") await sleep(30);
    return new Response(pathname);
  }, async (url) => {
    const client = await RawClient.open(url, request("GET", "/slow") + request("GET", "/second"));
    assertEquals(await client.answer(), [200, "/slow"]);
    assertEquals(await client.answer(), [200, "/second"]);
    await client.write(request("GET", "/third"));
    assertEquals(await client.answer(), [200, "/third"]);
    client.close();
  });
  assertEquals(tasks.size, 3);
});

Deno.test("a client of HTTP/1.0 is answered and left", async () => {
  await withServer(() => new Response("old"), async (url) => {
    const client = await RawClient.open(url, "GET / HTTP/1.0\r\n\r\n");
    assertEquals(await client.answer(), [200, "old"]);
    assertEquals(await client.read(undefined, SOON), null);
    client.close();
  });
});

Deno.test("clients that never finish the head of a request hold up nobody, and close() ends them", async () => {
  await withServer(() => new Response("fine"), async (url, server) => {
    const slow = await Promise.all(
      Array.from({ length: 200 }, () => RawClient.open(url, "GET / HTTP/1.1\r\nHo")),
    );
    assertEquals(await get(url), [200, "fine"]);
    assertEquals(server.active, 0);
    assert(await spawn(() => server.close({ graceful: 5_000 })).join(SOON));
    for (const client of slow) {
      assertEquals(await client.read(undefined, SOON).catch((error) => error.code), null);
      client.close();
    }
  });
});

Deno.test("a request whose body never comes is answered 503 when its time is over, however it waits", async () => {
  const ended = new Event();
  const errors = await reported(() =>
    withServer(async (request) => {
      try {
        // As a handler does that knows nothing of tasks: no kill can interrupt this.
        return new Response(await request.text());
      } finally {
        ended.set();
      }
    }, async (url) => {
      const client = await RawClient.open(
        url,
        request("POST", "/", "Content-Length: 9\r\n") + "abc",
      );
      assertEquals(await client.answer(), [503, "Service Unavailable"]);
      client.close();
      assert(await ended.wait(SOON));
    }, { timeout: 50 })
  );
  assertEquals(errors, []);
});

Deno.test("heads that are too big, or none, are refused, and the server goes on", async () => {
  await withServer(() => new Response("fine"), async (url) => {
    for (
      const head of [
        request("GET", "/", `X: ${"y".repeat(500_000)}\r\n`),
        request("GET", "/", Array.from({ length: 500 }, (_, i) => `X${i}: y\r\n`).join("")),
        "nonsense\r\n\r\n",
        request("POST", "/", "Content-Length: -1\r\n"),
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
      ]
    ) {
      const client = await RawClient.open(url);
      await client.write(head).catch(() => {});
      const answer = await client.answer().catch((error) => error.code);
      if (Array.isArray(answer)) assert(answer[0] >= 400 && answer[0] < 500, String(answer));
      else assert(answer === null || answer === "ECONNRESET", String(answer));
      client.close();
    }
    assertEquals(await get(url), [200, "fine"]);
  });
});

Deno.test("whatever bytes a client sends, the server goes on", async () => {
  let seed = 7;
  const draw = (most: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor(seed / 2_147_483_648 * most);
  };
  const encoder = new TextEncoder();
  const errors = await reported(() =>
    withServer(async (request) => {
      return new Response(`${(await cooperate(request.bytes())).length}`);
    }, async (url) => {
      for (let i = 0; i < 300; i++) {
        const body = "x".repeat(draw(50));
        const length = `Content-Length: ${body.length + (draw(5) === 0 ? draw(9) : 0)}\r\n`;
        const chunked = `Transfer-Encoding: chunked\r\n`;
        const head = request(
          ["GET", "POST", "OPTIONS", "\0"][draw(4)],
          ["/", "*", "/%zz", "//"][draw(4)],
          [
            "",
            length,
            chunked,
            chunked + length,
            "Upgrade: websocket\r\nConnection: upgrade\r\n",
          ][draw(5)],
        );
        const bytes = encoder.encode(head + body);
        for (let flips = draw(4); flips > 0; flips--) bytes[draw(bytes.length)] ^= 1 << draw(8);
        const client = await RawClient.open(url);
        await client.write(bytes);
        await client.shutdown().catch(() => {});
        await client.readBytes(10_000, SOON).catch(() => {});
        client.close();
      }
      const response = await cooperate(fetch(url, { method: "POST", body: "fine" }));
      assertEquals([response.status, await cooperate(response.text())], [200, "4"]);
    })
  );
  assertEquals(errors, []);
});

Deno.test("of many requests at once, those beyond the limit are answered 503 at once", async () => {
  const go = new Event();
  await withServer(async () => {
    await go.wait();
    return new Response("fine");
  }, async (url, server) => {
    const asked = Array.from({ length: 100 }, () => get(url));
    const refused = new Promise<void>((resolve) => {
      let count = 0;
      for (const each of asked) {
        void each.then(([status]) => status === 503 && ++count === 90 && resolve());
      }
    });
    await cooperate(refused, SOON);
    assertEquals(server.active, 10);
    go.set();
    const answers = await cooperate(Promise.all(asked));
    assertEquals(answers.filter(([status]) => status === 200).length, 10);
    assertEquals((await get(url))[0], 200);
  }, { maxRequests: 10 });
});

Deno.test("close() with time ends idle connections at once, and lets a slow reader have all of a big answer", async () => {
  const big = new Uint8Array(20_000_000).fill(7);
  await withServer(() => new Response(big), async (url, server) => {
    const idle = await RawClient.open(url, request("HEAD", "/"));
    await idle.readUntil("\r\n\r\n", SOON);
    const client = await RawClient.open(url, request("GET", "/"));
    await client.readUntil("\r\n\r\n", SOON);
    const closing = spawn(() => server.close({ graceful: 10_000 }));
    assertEquals(await idle.read(undefined, SOON), null);
    await assertRejects(() => RawClient.open(url));
    let received = 0;
    for await (const chunk of client) received += chunk.length;
    assertEquals(received, big.length);
    assert(await closing.join(SOON));
    client.close();
    idle.close();
  });
});

Deno.test("close() cuts off what is still being sent when its time is over, or when it is called without", async () => {
  for (const hard of [false, true]) {
    const cancelled = new Event();
    const endless = () =>
      new ReadableStream({
        async pull(controller) {
          await new Promise((resolve) => setTimeout(resolve, 5));
          controller.enqueue(new Uint8Array(10));
        },
        cancel: () => cancelled.set(),
      });
    await withServer(() => new Response(endless()), async (url, server) => {
      const client = await RawClient.open(url, request("GET", "/"));
      await client.readUntil("\r\n\r\n", SOON);
      const closing = spawn(() => server.close({ graceful: hard ? 60_000 : 50 }));
      if (hard) {
        await sleep(10);
        await server.close();
      }
      assert(await closing.join(SOON));
      assert(await cancelled.wait(SOON));
      while (await client.read(undefined, SOON).catch(() => null) !== null);
      client.close();
      await sleep(10); // The timer of the stream.
    });
  }
});

Deno.test("close() with time ends in time, though a client never sends what it has announced", async () => {
  await withServer(() => new Response("at once"), async (url, server) => {
    const client = await RawClient.open(url, request("POST", "/", "Content-Length: 9\r\n") + "abc");
    assertEquals(await client.answer(), [200, "at once"]);
    assert(await spawn(() => server.close({ graceful: 50 })).join(SOON));
    await assertRejects(() => RawClient.open(url));
    client.close();
    await sleep(10);
  });
});

Deno.test("a request that comes while the server is closed with time is answered 503", async () => {
  const go = new Event();
  await withServer(async () => {
    await go.wait();
    return new Response("fine");
  }, async (url, server) => {
    const client = await RawClient.open(url, request("GET", "/"));
    while (server.active === 0) await sleep(1);
    const closing = spawn(() => server.close({ graceful: 10_000 }));
    await sleep(0);
    assertEquals((await get(url))[0], 503);
    go.set();
    assertEquals(await client.answer(), [200, "fine"]);
    assert(await closing.join(SOON));
    client.close();
  });
});

Deno.test("a handler may close its own server, with time or without", async () => {
  for (const options of [undefined, { graceful: 20 }]) {
    const ended = new Event();
    let server: HttpServer | undefined;
    await withServer(async () => {
      try {
        await server!.close(options);
      } finally {
        ended.set();
      }
      return new Response("never");
    }, async (url, own) => {
      server = own;
      await get(url).catch(() => {});
      assert(await ended.wait(SOON));
    });
  }
});

Deno.test("close() goes on when the task that has called it is killed, and ends every serve()", async () => {
  const server = new HttpServer(async () => {
    await sleep(30);
    return new Response("fine");
  });
  server.bind({ hostname: "::1", port: 0 });
  const serving = [1, 2].map(() => spawn(() => server.serve()));
  await sleep(0);
  const asked = get(`http://[::1]:${server.sockname.port}`);
  while (server.active === 0) await sleep(1);
  const closing = spawn(() => server.close({ graceful: 10_000 }));
  await sleep(0);
  closing.kill();
  assertEquals(await asked, [200, "fine"]);
  for (const task of serving) assert(await task.join(SOON));
  await server.close();
});

const PROGRAM = `
import { cooperate, EventLoop, HttpServer, spawn, upgrade } from "./mod.ts";
const loop = new EventLoop();
const server = new HttpServer(async (request) => {
  await using socket = await upgrade(request);
  for await (const message of socket) await socket.send(message);
});
server.bind({ hostname: "127.0.0.1", port: 0 });
spawn(() => server.serve());
spawn(async () => {
  const client = new WebSocket("ws://127.0.0.1:" + server.sockname.port);
  await cooperate(new Promise((resolve) => client.onopen = resolve));
  const answer = new Promise((resolve) => client.onmessage = ({ data }) => resolve(data));
  client.send("hello");
  console.log(await cooperate(answer));
  await server.close({ graceful: 5_000 });
});
await loop.run();
const idle = new HttpServer(() => new Response());
idle.bind({ hostname: "127.0.0.1", port: 0 });
console.log("nobody serves, so the program ends");
`;

Deno.test("run() ends when the server is closed, and a server that nobody serves keeps no program alive", async () => {
  const { code, stdout, stderr } = await cooperate(runProgram(PROGRAM));
  assertEquals([code, stdout], [0, "hello\nnobody serves, so the program ends\n"], stderr);
});

async function echo(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname === "/size") return new Response(String((await cooperate(request.bytes())).length));
  if (pathname === "/back") return new Response(request.body);
  return new Response(`${request.method} ${pathname}`, { headers: { "x-method": request.method } });
}

async function output(program: string, args: string[], input = ""): Promise<string> {
  const child = new Deno.Command(program, { args, stdin: "piped", stdout: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { stdout, code } = await cooperate(child.output());
  assertEquals(code, 0);
  return new TextDecoder().decode(stdout);
}

function has(program: string): boolean {
  try {
    return new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" })
      .outputSync().code !== 127;
  } catch {
    return false;
  }
}

Deno.test({
  name:
    "curl talks to an HttpServer: HTTP/1.0, 1.1 and 2, uploads, chunks, and what it expects to continue",
  ignore: !has("curl"),
  async fn() {
    await withServer(echo, async (url) => {
      const curl = (args: string[], input?: string) => output("curl", ["-sS", ...args], input);
      for (const version of ["--http1.0", "--http1.1", "--http2-prior-knowledge"]) {
        assertEquals(await curl([version, `${url}/a`]), "GET /a", version);
        const body = "x".repeat(300_000);
        const upload = [version, "--data-binary", "@-"];
        assertEquals(await curl([...upload, `${url}/size`], body), "300000", version);
        assertEquals(await curl([...upload, `${url}/back`], body), body, version);
      }
      const chunked = ["-H", "Transfer-Encoding: chunked", "-H", "Expect: 100-continue"];
      assertEquals(
        await curl([...chunked, "--data-binary", "@-", `${url}/back`], "hello"),
        "hello",
      );
      assert((await curl(["-I", `${url}/a`])).includes("x-method: HEAD"));
      // On one connection.
      assertEquals(await curl([`${url}/a`, `${url}/b`, `${url}/c`]), "GET /aGET /bGET /c");
    });
  },
});

const PYTHON_CLIENT = `
import http.client, sys
connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=10)
for i in range(100):
    connection.request("POST", "/back", body=(b"%d," % (j * i) for j in range(100)), encode_chunked=True,
                       headers={"Transfer-Encoding": "chunked"})
    response = connection.getresponse()
    assert response.status == 200, response.status
    assert response.read() == b"".join(b"%d," % (j * i) for j in range(100))
connection.close()
print("fine")
`;

Deno.test({
  name: "Python's http.client sends 100 bodies in chunks over one connection to an HttpServer",
  ignore: !has("python3"),
  async fn() {
    await withServer(echo, async (url) => {
      const args = ["-c", PYTHON_CLIENT, new URL(url).port];
      assertEquals(await output("python3", args), "fine\n");
    });
  },
});

Deno.test("a server that nobody serves answers, and its error says what it is about", async () => {
  const server = new HttpServer(() => new Response("fine"));
  server.bind({ hostname: "127.0.0.1", port: 0 });
  const { port } = server.sockname;
  assertEquals(await get(`http://127.0.0.1:${port}`), [200, "fine"]);
  const other = new HttpServer(() => new Response());
  const error = assertThrows(() => other.bind({ hostname: "127.0.0.1", port }), TcpError);
  assertEquals([error.code, error.address], ["EADDRINUSE", `127.0.0.1:${port}`]);
  assert(error.cause instanceof Deno.errors.AddrInUse);
  await server.close();
});
