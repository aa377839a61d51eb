import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import {
  Event,
  original,
  patched,
  sleep,
  spawn,
  TaskExit,
  type TcpConnection,
  TcpServer,
  Timeout,
} from "../../mod.ts";
import { errorOf, runLoop, valueOf, witness } from "../run_loop.ts";

/** An HTTP server whose answers begin with "some "; that of "/all" goes on with "more" and ends. */
class Stalling extends TcpServer {
  /** Set when a client has gone before the end. */
  readonly gone = new Event();

  override async handleConnection(connection: TcpConnection): Promise<void> {
    const head = await connection.readUntil("\r\n\r\n").catch(() => null);
    if (head === null) return;
    await connection.write(
      "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nsome \r\n",
    );
    if (new TextDecoder().decode(head).includes("/all")) {
      await connection.write("4\r\nmore\r\n0\r\n\r\n");
    } else {
      await connection.read().catch(() => {});
      this.gone.set();
    }
  }
}

/** Runs `body` with `fetch` patched, and such a server. */
function withServer(body: (server: { url: string; gone: Event }) => Promise<void>): Promise<void> {
  return runLoop(async () => {
    const server = new Stalling();
    server.bind({ hostname: "127.0.0.1", port: 0 });
    const serving = spawn(() => server.serve());
    try {
      using _ = patched({ fetch: true });
      await body({ url: `http://127.0.0.1:${server.sockname.port}`, gone: server.gone });
    } finally {
      server.close();
    }
    await serving.join();
  }, { clock: undefined });
}

/** Every way to read a body to its end. */
const readings: Record<string, (response: Response) => Promise<string>> = {
  "text()": (response) => response.text(),
  "arrayBuffer()": async (response) => new TextDecoder().decode(await response.arrayBuffer()),
  "bytes()": async (response) => new TextDecoder().decode(await response.bytes()),
  "blob()": async (response) => await (await response.blob()).text(),
  "clone()": (response) => response.clone().text(),
  "for await": async (response) => {
    let text = "";
    for await (const chunk of response.body!) text += new TextDecoder().decode(chunk);
    return text;
  },
  "getReader()": async (response) => {
    const reader = response.body!.getReader();
    let text = "";
    while (true) {
      const { done, value } = await reader.read();
      if (done) return text;
      text += new TextDecoder().decode(value);
    }
  },
  "pipeThrough()": async (response) => {
    let text = "";
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) text += chunk;
    return text;
  },
  "pipeTo()": async (response) => {
    let text = "";
    await response.body!.pipeThrough(new TextDecoderStream()).pipeTo(
      new WritableStream({ write: (chunk) => void (text += chunk) }),
    );
    return text;
  },
  "tee()": async (response) => {
    const [left, right] = response.body!.tee();
    right.cancel().catch(() => {});
    return await new Response(left).text();
  },
};

for (const [name, read] of Object.entries(readings)) {
  Deno.test(`the reading of a body is a blocking call: ${name}`, () =>
    withServer(async ({ url, gone }) => {
      assertEquals(await read(await fetch(`${url}/all`)), "some more");
      if (name === "tee()") return; // A response that is made of a stream is the platform's own.
      const killed = witness(async () => read(await fetch(url)));
      await sleep(20);
      killed.task.kill();
      assert(await killed.task.join());
      assertInstanceOf(errorOf(killed), TaskExit);
      await gone.wait();
      gone.clear();
      const timeout = new Timeout(20);
      const timedOut = witness(() => timeout.run(async () => read(await fetch(url))));
      await timedOut.task.join();
      assertStrictEquals(errorOf(timedOut), timeout);
      await gone.wait();
    }));
}

Deno.test("a Timeout ends the reading of a body whose request was made before it, too", () =>
  withServer(async ({ url, gone }) => {
    const reader = (await fetch(url)).body!.getReader();
    assertEquals((await reader.read()).value?.length, 5);
    await assertRejects(() => new Timeout(10).run(() => reader.read()), Timeout);
    await gone.wait();
  }));

Deno.test("what is left of a body can be given up", () =>
  withServer(async ({ url, gone }) => {
    for await (const chunk of (await fetch(url)).body!) {
      assertEquals(chunk.length, 5);
      break;
    }
    await gone.wait();
    gone.clear();
    const reader = (await fetch(url)).body!.getReader();
    await reader.cancel();
    await gone.wait();
  }));

Deno.test("the signal that is given to fetch() aborts it, and what is no signal is refused as usual", () =>
  withServer(async ({ url }) => {
    const abort = new AbortController();
    const reason = new Error("enough");
    const seen = witness(async () => await (await fetch(url, { signal: abort.signal })).text());
    await sleep(20);
    abort.abort(reason);
    await seen.task.join();
    assertStrictEquals(errorOf(seen), reason);
    await assertRejects(() => fetch(url, { signal: abort.signal }), Error, "enough");
    const request = new Request(url, { signal: abort.signal });
    await assertRejects(() => fetch(request), Error, "enough");
    await assertRejects(() => fetch(url, { signal: 1 as never }), TypeError);
    await assertRejects(() => fetch("no address"), TypeError);
  }));

Deno.test("a request that a task leaves running when it ends by itself goes on", () =>
  withServer(async ({ url }) => {
    let response!: Promise<Response>;
    await spawn(() => void (response = fetch(`${url}/all`))).join();
    assertEquals(await (await response).text(), "some more");
  }));

Deno.test("a response is the platform's, with its stream", () =>
  withServer(async ({ url }) => {
    const response = await fetch(`${url}/all`);
    assertInstanceOf(response, Response);
    assertInstanceOf(response.body, ReadableStream);
    assertStrictEquals(response.body, response.body);
    assertEquals([response.status, response.bodyUsed], [200, false]);
    assertEquals(Object.keys(response), []);
    await response.text();
    assert(response.bodyUsed);
    const seen = witness(() => original("fetch")(`${url}/all`));
    await seen.task.join();
    assertEquals(await valueOf(seen).text(), "some more");
  }));
