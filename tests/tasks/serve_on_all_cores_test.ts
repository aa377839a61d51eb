import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  BrokenExecutor,
  type ExceptionContext,
  Future,
  serveOnAllCores,
  type ServeOnAllCoresOptions,
  sleep,
  spawn,
} from "../../mod.ts";
import { runLoop, witness } from "../run_loop.ts";

const module = new URL("./served_module.ts", import.meta.url);

interface Serving {
  /** The answer of whichever process gets the request. */
  get(path: string): Promise<string>;
  pids(): Promise<Set<number>>;
}

/** Serves while `body` runs, stops in the way that `stop` says, and waits until all has ended. */
function serving(
  body: (server: Serving) => Promise<unknown>,
  { stop = (controller) => controller.abort(), reports, ...options }: ServeOnAllCoresOptions & {
    stop?: (controller: AbortController) => void;
    reports?: ExceptionContext[];
  } = {},
): Promise<void> {
  return runLoop(async () => {
    const controller = new AbortController();
    const listening = new Future<number>();
    const server = witness(() =>
      serveOnAllCores(module, {
        port: 0,
        hostname: "127.0.0.1",
        workers: 2,
        signal: controller.signal,
        onListen: ({ port }) => listening.setResult(port),
        ...options,
      })
    );
    const port = await listening.get();
    const get = async (path: string): Promise<string> => {
      // A connection for each request: which process answers is decided by connection.
      using client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
      return await (await fetch(`http://127.0.0.1:${port}${path}`, { client })).text();
    };
    const pids = async (): Promise<Set<number>> => {
      const seen = new Set<number>();
      while (seen.size < 2) seen.add(Number(await get("/pid")));
      return seen;
    };
    try {
      await body({ get, pids });
    } finally {
      stop(controller);
      await server.task.join();
    }
    assertEquals(server.outcome, { value: undefined });
  }, { clock: undefined, reports });
}

function isAlive(pid: number): boolean {
  try {
    Deno.kill(pid, "SIGCONT");
    return true;
  } catch {
    return false;
  }
}

Deno.test("serveOnAllCores() serves in several processes, and leaves none behind", async () => {
  let pids = new Set<number>();
  await serving(async (server) => {
    pids = await server.pids();
    assertEquals([pids.size, [...pids].filter(isAlive).length], [2, 2]);
    assert(!pids.has(Deno.pid));
  });
  assertEquals([...pids].filter(isAlive), []);
});

Deno.test("serveOnAllCores() starts a process again that dies, and reports it", async () => {
  const reports: ExceptionContext[] = [];
  await serving(async (server) => {
    const before = await server.pids();
    const [victim] = before;
    Deno.kill(victim, "SIGKILL");
    while (reports.length === 0) await sleep(1);
    const after = await server.pids();
    assertEquals([after.has(victim), after.intersection(before).size], [false, 1]);
  }, { reports });
  assert(reports[0].error instanceof BrokenExecutor);
  assert(reports[0].error.message.includes("SIGKILL"));
});

Deno.test("serveOnAllCores() replaces all processes on SIGHUP, which answer what they have begun", () =>
  serving(async (server) => {
    const before = await server.pids();
    const begun = [server.get("/slow"), server.get("/slow")];
    await sleep(50); // Until they were begun.
    Deno.kill(Deno.pid, "SIGHUP");
    assertEquals(await Promise.all(begun), ["slow answer", "slow answer"]);
    while ([...before].some(isAlive)) {
      // The system resets a connection that no process had accepted when one closed. It is tried again.
      await server.get("/pid").catch((error) => assert(error instanceof TypeError));
    }
    assertEquals((await server.pids()).intersection(before).size, 0);
  }));

Deno.test("serveOnAllCores() stops on SIGTERM, when what was begun has been answered", () => {
  let answer: Promise<string> | undefined;
  return serving(async (server) => {
    answer = server.get("/slow");
    await sleep(50); // Until it was begun.
  }, { stop: () => Deno.kill(Deno.pid, "SIGTERM") })
    .then(async () => assertEquals(await answer, "slow answer"));
});

Deno.test("serveOnAllCores() ends a process that takes longer than the grace", () =>
  serving(async (server) => {
    server.get("/never").catch(() => {});
    await sleep(50);
  }, { grace: 50 }));

Deno.test("serveOnAllCores() serves by a function of the module that does so itself", () =>
  runLoop(async () => {
    const controller = new AbortController();
    const own = new URL("./served_by_itself.ts", import.meta.url);
    const listening = new Future<number>();
    const server = spawn(() =>
      serveOnAllCores(own, {
        port: 0,
        hostname: "127.0.0.1",
        workers: 2,
        signal: controller.signal,
        onListen: ({ port }) => listening.setResult(port),
      })
    );
    using conn = await Deno.connect({ hostname: "127.0.0.1", port: await listening.get() });
    const bytes = new Uint8Array(5);
    await conn.read(bytes);
    assertEquals(new TextDecoder().decode(bytes), "hello");
    controller.abort();
    assertEquals(await server.join(), true);
  }, { clock: undefined }));

Deno.test("serveOnAllCores() ends with the task that waits in it", () =>
  runLoop(async () => {
    const listening = new Future<void>();
    const server = witness(() =>
      serveOnAllCores(module, {
        port: 0,
        workers: 1,
        onListen: () => listening.setResult(undefined),
      })
    );
    await listening.get();
    server.task.kill();
    assertEquals(await server.task.join(), true);
  }, { clock: undefined }));

Deno.test("serveOnAllCores() fails if its module cannot be served", () =>
  runLoop(async () => {
    const nothing = new URL("./called_module.ts", import.meta.url);
    for (const wrong of [nothing, new URL("./no.ts", import.meta.url)]) {
      await assertRejects(
        () => serveOnAllCores(wrong, { port: 0, workers: 2 }),
        BrokenExecutor,
        String(wrong.pathname.split("/").at(-1)),
      );
    }
    await assertRejects(() => serveOnAllCores(module, { workers: 0 }), RangeError);
  }, { clock: undefined }));
