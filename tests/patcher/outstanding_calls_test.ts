// Patching and unpatching while calls are outstanding: each goes on as it was begun.
import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { importPatched, lib, patch, sleep, spawn, TaskExit, unpatch } from "../../mod.ts";
import { errorOf, runLoop, valueOf, witness } from "../run_loop.ts";

const HOST = { hostname: "127.0.0.1", port: 0 };
const CLIENT = new URL("./modules/client.ts", import.meta.url);

/** Runs `body` as a task, and puts everything back. */
function run(body: () => Promise<void>): Promise<void> {
  return runLoop(async () => {
    try {
      await body();
    } finally {
      unpatch();
    }
  }, { clock: undefined });
}

Deno.test("an accept and a read of the platform's go on when sockets are patched", () =>
  run(async () => {
    using listener = Deno.listen(HOST);
    const accepting = listener.accept();
    patch({ socket: true });
    using near = await Deno.connect({ port: listener.addr.port });
    using far = await accepting;
    const reading = far.read(new Uint8Array(10));
    unpatch();
    await near.write(new Uint8Array(3));
    assertEquals(await reading, 3);
  }));

Deno.test("a cooperative accept and read go on when sockets are unpatched, and are killed as before", () =>
  run(async () => {
    patch({ socket: true });
    using listener = Deno.listen(HOST);
    const accepting = witness(() => listener.accept());
    await sleep(1);
    unpatch();
    using near = await Deno.connect({ port: listener.addr.port });
    await accepting.task.join();
    using far = valueOf(accepting);
    const reading = witness(() => far.read(new Uint8Array(10)));
    await sleep(1);
    patch();
    reading.task.kill();
    await reading.task.join();
    assertInstanceOf(errorOf(reading), TaskExit);
    await near.write(new Uint8Array(3));
    assertEquals(await far.read(new Uint8Array(10)), 3);
  }));

Deno.test("a request goes on as it was begun when fetch is patched and unpatched", () =>
  run(async () => {
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    const server = Deno.serve({ ...HOST, onListen() {} }, async () => {
      asked.resolve();
      await answer.promise;
      return new Response("hello");
    });
    const url = `http://127.0.0.1:${server.addr.port}`;
    const platforms = fetch(url);
    patch({ fetch: true });
    const cooperative = witness(() => fetch(url));
    await asked.promise;
    unpatch();
    answer.resolve();
    await cooperative.task.join();
    assertEquals(await valueOf(cooperative).text(), "hello");
    assertEquals((await platforms).status, 200);
    await (await platforms).body?.cancel();
    await server.shutdown();
  }));

Deno.test("a task that waits for a timer is killed, whether time is patched meanwhile or not", () =>
  run(async () => {
    patch({ time: true });
    const waiting = witness(() => new Promise((resolve) => setTimeout(resolve, 60_000)));
    await sleep(1);
    unpatch();
    waiting.task.kill();
    await waiting.task.join();
    assertInstanceOf(errorOf(waiting), TaskExit);
  }));

Deno.test("an interval goes on when time is unpatched, and is cleared by either function", () =>
  run(async () => {
    patch({ time: true });
    let count = 0;
    const interval = setInterval(() => count++, 1);
    unpatch();
    while (count < 2) await sleep(1);
    lib.time.clearInterval(interval);
    const last = count;
    await sleep(5);
    assertEquals(count, last);
  }));

Deno.test("modules that are imported patched do not mind what is patched for the program", () =>
  run(async () => {
    type Module = typeof import("./modules/client.ts");
    const importing = importPatched<Module>(CLIENT);
    patch();
    const { functions, napTwice } = await importing;
    unpatch();
    assertStrictEquals(functions().setTimeout, lib.time.setTimeout);
    const waiting = witness(() => napTwice(60_000));
    await sleep(1);
    patch();
    waiting.task.kill();
    await waiting.task.join();
    assertInstanceOf(errorOf(waiting), TaskExit);
  }));

Deno.test("several tasks may import patched at the same time, and one that is killed harms nobody", () =>
  run(async () => {
    const url = new URL("./modules/nap.js", import.meta.url).href;
    const importing = [1, 2, 3].map(() => witness(() => importPatched(`${url}?at-the-same-time`)));
    await sleep(0);
    importing[0].task.kill();
    for (const { task } of importing) await task.join();
    assertStrictEquals(valueOf(importing[1]), valueOf(importing[2]));
    assert(importing[0].outcome !== undefined);
  }));

Deno.test("two tasks that read the same connection are served in order", () =>
  run(async () => {
    using listener = lib.socket.listen(HOST);
    using near = await lib.socket.connect({ port: listener.addr.port });
    using far = await listener.accept();
    const log: string[] = [];
    const readers = ["first", "second"].map((name) =>
      spawn(async () => {
        await near.read(new Uint8Array(1));
        log.push(name);
      })
    );
    await sleep(1);
    await far.write(new Uint8Array(2));
    for (const reader of readers) await reader.join();
    assertEquals(log, ["first", "second"]);
  }));
