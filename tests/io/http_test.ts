import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  Event,
  EventLoop,
  type HttpHandler,
  HttpServer,
  sleep,
  TaskExit,
  TcpError,
  upgrade,
} from "../../mod.ts";
import { withServer } from "./_with_server.ts";

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

Deno.test("upgrade() of a request that asks for none, or is nobody's, is a TypeError", async () => {
  await withServer(async (request) => {
    await assertRejects(() => upgrade(request), TypeError);
    return new Response("fine");
  }, async (url) => assertEquals(await get(url), [200, "fine"]));
});
