// Code that nobody wrote for this library, run in tasks and killed in the middle.
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  Event,
  importPatched,
  sleep,
  spawn,
  type TcpConnection,
  TcpServer,
  Timeout,
} from "../../mod.ts";
import { errorOf, runLoop, valueOf, witness } from "../run_loop.ts";

const realTime = { clock: undefined };

Deno.test("@std/async: delay() follows the loop's clock, and is killed at once", () =>
  runLoop(async (loop) => {
    const { delay } = await importPatched<typeof import("@std/async")>("@std/async");
    await delay(3_600_000);
    assertEquals(loop.time(), 3_600_000);
    const task = spawn(() => delay(3_600_000));
    await sleep(10);
    task.kill();
    assert(await task.join());
    assertEquals(loop.time(), 3_600_010);
  }));

Deno.test("@std/async: retry() is killed between two attempts", () =>
  runLoop(async (loop) => {
    const { retry } = await importPatched<typeof import("@std/async")>("@std/async");
    let attempts = 0;
    const attempt = () => {
      attempts++;
      throw new Error("not yet");
    };
    const task = spawn(() =>
      retry(attempt, { minTimeout: 1_000, maxTimeout: 1_000, jitter: 0, maxAttempts: 1_000 })
    );
    await sleep(2_500);
    task.kill();
    assert(await task.join());
    assertEquals([attempts, loop.time()], [3, 2_500]);
  }));

Deno.test("@std/async: pooledMap() maps, and is killed in the middle", () =>
  runLoop(async (loop) => {
    const { delay, pooledMap } = await importPatched<typeof import("@std/async")>("@std/async");
    const double = async (n: number) => {
      await delay(100);
      return 2 * n;
    };
    assertEquals(await Array.fromAsync(pooledMap(2, [1, 2, 3, 4], double)), [2, 4, 6, 8]);
    assertEquals(loop.time(), 200);
    const got: number[] = [];
    const start = loop.time();
    const seen = witness(async () => {
      for await (const n of pooledMap(2, [1, 2, 3, 4, 5, 6], double)) got.push(n);
    });
    await sleep(150);
    seen.task.kill();
    assert(await seen.task.join());
    // It gives the errors of its items, those of the third and fourth, in one of its own.
    const { errors } = errorOf(seen) as AggregateError;
    assertEquals(errors.map(({ name }) => name), ["TaskExit", "TaskExit"]);
    assertEquals([got, loop.time() - start], [[2, 4], 150]);
  }));

Deno.test("@std/async: deadline() of a delay is timed out and killed", () =>
  runLoop(async () => {
    const { deadline, delay } = await importPatched<typeof import("@std/async")>("@std/async");
    const timedOut = witness(() => deadline(delay(60_000), 5));
    await timedOut.task.join();
    assertEquals((errorOf(timedOut) as Error).name, "TimeoutError");
    const killed = witness(() => deadline(delay(60_000), 5_000));
    await sleep(2);
    killed.task.kill();
    assert(await killed.task.join());
  }, realTime));

/** An HTTP server that answers "/quick" and nothing else. */
class HalfHearted extends TcpServer {
  readonly asked = new Event();
  readonly gone = new Event();

  override async handleConnection(connection: TcpConnection): Promise<void> {
    while (true) {
      const head = await connection.readUntil("\r\n\r\n").catch(() => null);
      if (head === null) break;
      this.asked.set();
      if (new TextDecoder().decode(head).includes("/quick")) {
        await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
      }
    }
    this.gone.set();
  }
}

type Get = (url: string) => Promise<string>;

/** HTTP clients from npm, each with what gets a page as text. */
const clients: Record<string, () => Promise<Get>> = {
  // An ECMAScript module on `fetch`, with timers for its timeout.
  "ky": async () => {
    // deno-lint-ignore no-explicit-any
    const { default: ky } = await importPatched<any>("npm:ky@1.7.4");
    return (url) => ky.get(url, { retry: 0, timeout: 60_000 }).text();
  },
  // CommonJS on `node:http`.
  "node-fetch": async () => {
    // deno-lint-ignore no-explicit-any
    const { default: nodeFetch } = await importPatched<any>("npm:node-fetch@2.7.0");
    return async (url) => await (await nodeFetch(url)).text();
  },
  // CommonJS or an ECMAScript module, on `node:http` by way of follow-redirects.
  "axios": async () => {
    // deno-lint-ignore no-explicit-any
    const { default: axios } = await importPatched<any>("npm:axios@1.7.9");
    return async (url) => (await axios.get(url, { adapter: "http" })).data;
  },
  // The same on `fetch`, whose body it reads as a stream.
  "axios on fetch": async () => {
    // deno-lint-ignore no-explicit-any
    const { default: axios } = await importPatched<any>("npm:axios@1.7.9");
    return async (url) => (await axios.get(url, { adapter: "fetch" })).data;
  },
  // ECMAScript modules on `node:http`, with timers and agents.
  "got": async () => {
    // deno-lint-ignore no-explicit-any
    const { default: got } = await importPatched<any>("npm:got@14.4.5");
    return async (url) => (await got(url, { retry: { limit: 0 } })).body;
  },
  // CommonJS on `node:net`, with a protocol and timers of its own.
  "undici": async () => {
    // deno-lint-ignore no-explicit-any
    const { request } = await importPatched<any>("npm:undici@6.21.0");
    return async (url) => await (await request(url)).body.text();
  },
};

/** Runs `body` with a server, and closes it at the end. */
async function withServer<S extends TcpServer>(
  server: S,
  body: (port: number) => Promise<void>,
): Promise<void> {
  server.bind({ hostname: "127.0.0.1", port: 0 });
  const serving = spawn(() => server.serve());
  try {
    await body(server.sockname.port);
  } finally {
    server.close();
  }
  await serving.join();
}

for (const [name, load] of Object.entries(clients)) {
  Deno.test(`${name}: a request is answered, killed and timed out, and its socket is closed`, () =>
    runLoop(async () => {
      const get = await load();
      for (const end of ["answer", "kill", "timeout"]) {
        const server = new HalfHearted();
        await withServer(server, async (port) => {
          const url = `http://127.0.0.1:${port}`;
          if (end === "answer") {
            const seen = witness(() => get(`${url}/quick`));
            await seen.task.join();
            assertEquals(valueOf(seen), "hello");
          } else if (end === "kill") {
            const seen = witness(() => get(`${url}/never`));
            await server.asked.wait();
            seen.task.kill();
            assert(await seen.task.join());
            await server.gone.wait();
          } else {
            const timeout = new Timeout(50);
            const seen = witness(() => timeout.run(() => get(`${url}/never`)));
            await seen.task.join();
            // Some clients give the errors that they meet as the causes of their own.
            const error = errorOf(seen) as Error;
            assertStrictEquals(error === timeout ? error : error.cause, timeout);
            await server.gone.wait();
          }
        });
      }
    }, realTime));
}
