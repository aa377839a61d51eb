import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import {
  type BaseStream,
  current,
  DeadlockError,
  Event,
  type EventLoop,
  lib,
  RuntimeError,
  sleep,
  spawn,
  TcpClient,
  type TcpConnection,
  TcpServer,
  Timeout,
  TimeoutError,
} from "../../mod.ts";
import { RawSystem } from "../raw_descriptors.ts";
import { errorOf, runLoop, witness } from "../run_loop.ts";

const { select } = lib.select;

/** Runs `body` as a task on a loop with the real clock, with the means to make descriptors. */
async function run(body: (system: RawSystem, loop: EventLoop) => unknown): Promise<void> {
  using system = new RawSystem();
  await runLoop(async (loop) => void await body(system, loop), { clock: undefined });
}

/** A server that keeps its connections. */
class KeepingServer extends TcpServer {
  readonly kept: TcpConnection[] = [];
  readonly arrived = new Event();

  override async handleConnection(connection: TcpConnection): Promise<void> {
    this.kept.push(connection);
    this.arrived.set();
    await new Event().wait({ signal: current.task.signal });
  }
}

/** As {@linkcode run}, with two streams that are connected. */
function runStreams(
  body: (near: BaseStream, far: BaseStream, loop: EventLoop) => unknown,
): Promise<void> {
  return runLoop(async (loop) => {
    const server = new KeepingServer();
    server.bind({ hostname: "127.0.0.1", port: 0 });
    spawn(() => server.serve());
    const near = new TcpClient();
    await near.connect(server.sockname);
    await server.arrived.wait();
    try {
      await body(near, server.kept[0], loop);
    } finally {
      near.close();
      server.close();
    }
  }, { clock: undefined });
}

Deno.test("select() gives the descriptors that can be read, and those that can be written", () =>
  run(async (system) => {
    const [a, intoA] = system.pipe();
    const [b, intoB] = system.pipe();
    const selecting = witness(() => select([a, b]));
    await sleep(2);
    assert(selecting.task.isAlive());
    system.write(intoB, "x");
    await selecting.task.join();
    assertEquals(selecting.outcome, { value: [[b], []] });
    assertEquals(await select([a, b], [intoA, intoB]), [[b], [intoA, intoB]]);
    assertEquals(await select([], [intoA]), [[], [intoA]]);
  }));

Deno.test("select() gives two empty lists when its timeout passes, and takes nothing", () =>
  run(async (system) => {
    const [out, into] = system.pipe();
    assertEquals(await select([out], [], { timeout: 5 }), [[], []]);
    assertEquals(await select([out], [], { timeout: 0 }), [[], []]);
    assertEquals(await select([], [], { timeout: 5 }), [[], []]);
    system.write(into, "x");
    assertEquals(await select([out], [], { timeout: 0 }), [[out], []]);
    assertEquals(await select([out]), [[out], []]);
    assertEquals(system.read(out), "x");
  }));

Deno.test("select() gives a file at once", () =>
  run(async (system) => {
    const [out] = system.pipe();
    using _file = Deno.openSync(new URL(import.meta.url));
    const fds = [...Deno.readDirSync("/proc/self/fd")].map(({ name }) => Number(name));
    const isThis = (fd: number): boolean => {
      try {
        return Deno.readLinkSync(`/proc/self/fd/${fd}`).endsWith("select_test.ts");
      } catch {
        return false;
      }
    };
    const file = fds.find(isThis)!;
    assertEquals(await select([out, file]), [[file], []]);
  }));

Deno.test("a task is killed, timed out and aborted in select(), and may select again", () =>
  run(async (system) => {
    const [out, into] = system.pipe();
    const timeout = new Timeout(2);
    const timedOut = witness(() => timeout.run(() => select([out])));
    await timedOut.task.join();
    assertStrictEquals(errorOf(timedOut), timeout);
    const killed = spawn(() => select([out]));
    await sleep(1);
    killed.kill();
    assert(await killed.join());
    const abort = new AbortController();
    const aborted = witness(() => select([out], [], { signal: abort.signal }));
    await sleep(1);
    const reason = new Error("enough");
    abort.abort(reason);
    await aborted.task.join();
    assertStrictEquals(errorOf(aborted), reason);
    system.write(into, "x");
    assertEquals(await select([out]), [[out], []]);
  }));

Deno.test("several tasks may select the same descriptor, and it may have a reader besides", () =>
  run(async (system, loop) => {
    const [out, into] = system.pipe();
    const called = new Event();
    loop.addReader(out, () => {
      loop.removeReader(out);
      called.set();
    });
    const selecting = [1, 2, 3].map(() => witness(() => select([out])));
    await sleep(1);
    system.write(into, "x");
    for (const { task } of selecting) await task.join();
    await called.wait();
    for (const { outcome } of selecting) assertEquals(outcome, { value: [[out], []] });
  }));

Deno.test("select() refuses what cannot be watched, and a descriptor that is not open", () =>
  run(async () => {
    await assertRejects(() => select([99_999]), Deno.errors.BadResource, "is not open");
    await assertRejects(() => select(["x" as never]), TypeError, 'Cannot watch "x"');
    await assertRejects(() => select([-1]), RangeError, "not -1");
    await assertRejects(() => select([], [], { timeout: -1 }), RangeError);
  }));

Deno.test("a descriptor that is closed while it is selected is an error", () =>
  run(async (system) => {
    const [out] = system.pipe();
    const selecting = witness(() => select([out]));
    await sleep(1);
    system.close(out);
    await selecting.task.join();
    assertInstanceOf(errorOf(selecting), Deno.errors.BadResource);
  }));

Deno.test("select() waits for streams and takes nothing of what they have", () =>
  runStreams(async (near, far) => {
    const selecting = witness(() => select([near]));
    await sleep(2);
    assert(selecting.task.isAlive());
    await far.write("hello");
    await selecting.task.join();
    assertEquals(selecting.outcome, { value: [[near], []] });
    assertEquals(await select([near, far], [near]), [[near], [near]]);
    assertEquals(new TextDecoder().decode((await near.read())!), "hello");
    assertEquals(await select([near], [], { timeout: 5 }), [[], []]);
    await far.shutdown();
    assertEquals(await select([near]), [[near], []]);
    assertEquals(await near.read(), null);
    assertEquals(await select([near]), [[near], []]);
  }));

Deno.test("a stream whose peer takes nothing is not selected for writing until there is room", () =>
  runStreams(async (near, far) => {
    const chunk = new Uint8Array(1_000_000);
    while (await near.write(chunk, { timeout: 20 }).catch(() => null) !== null);
    const selecting = witness(() => select([], [near]));
    await sleep(5);
    assert(selecting.task.isAlive());
    const reading = spawn(async () => {
      while (await far.read() !== null);
    });
    await selecting.task.join();
    assertEquals(selecting.outcome, { value: [[], [near]] });
    reading.kill();
  }));

Deno.test("a stream that is closed is ready", () =>
  runStreams(async (near) => {
    const selecting = witness(() => select([near]));
    await sleep(1);
    near.close();
    await selecting.task.join();
    assertEquals(selecting.outcome, { value: [[near], []] });
    assertEquals(await select([], [near]), [[], [near]]);
  }));

Deno.test("select() that gives up loses nothing of a stream", () =>
  runStreams(async (near, far) => {
    assertEquals(await select([near], [], { timeout: 2 }), [[], []]);
    await assertRejects(() => near.read(10, { timeout: 2 }), TimeoutError);
    await far.write("late");
    assertEquals(new TextDecoder().decode((await near.read())!), "late");
  }));

Deno.test("a server is selected when a client is there, before it is served", () =>
  runLoop(async () => {
    const server = new KeepingServer();
    server.bind({ hostname: "127.0.0.1", port: 0 });
    assertEquals(await select([server], [], { timeout: 2 }), [[], []]);
    const client = new TcpClient();
    await client.connect(server.sockname);
    assertEquals(await select([server]), [[server], []]);
    spawn(() => server.serve());
    await server.arrived.wait();
    client.close();
    server.close();
  }, { clock: undefined }));

Deno.test("addReader() and addWriter() watch streams, with no permission but theirs", () =>
  runStreams(async (near, far, loop) => {
    const log: string[] = [];
    const done = new Event();
    loop.addReader(near, async () => {
      log.push("readable");
      const bytes = await near.read(2);
      log.push(new TextDecoder().decode(bytes!));
      if (log.includes("cd")) {
        loop.removeReader(near);
        done.set();
      }
    });
    let error: unknown;
    try {
      loop.addReader(near, () => {});
    } catch (thrown) {
      error = thrown;
    }
    assertInstanceOf(error, RuntimeError);
    await far.write("abcd");
    await done.wait();
    assert(log.includes("ab") && log.includes("cd"));
    const written = new Event();
    loop.addWriter(near, () => {
      loop.removeWriter(near);
      written.set();
    });
    await written.wait();
  }));

/** As {@linkcode run}, with two connections of `lib.socket` and their listener. */
function runConns(
  body: (near: Deno.TcpConn, far: Deno.TcpConn, listener: Deno.TcpListener) => unknown,
): Promise<void> {
  return runLoop(async () => {
    using listener = lib.socket.listen({ hostname: "127.0.0.1", port: 0 });
    using near = await lib.socket.connect({ port: listener.addr.port });
    using far = await listener.accept();
    await body(near, far, listener);
  }, { clock: undefined });
}

Deno.test("select() waits for connections of lib.socket, and takes nothing of what they have", () =>
  runConns(async (near, far) => {
    assertEquals(await select([near], [], { timeout: 2 }), [[], []]);
    const selecting = witness(() => select([near]));
    await sleep(1);
    await far.write(new TextEncoder().encode("hello"));
    await selecting.task.join();
    assertEquals(selecting.outcome, { value: [[near], []] });
    assertEquals(await select([near, far], [near, far]), [[near], [near, far]]);
    const buffer = new Uint8Array(10);
    assertEquals(await near.read(buffer), 5);
    far.close();
    assertEquals(await select([near]), [[near], []]);
    assertEquals(await near.read(buffer), null);
  }));

Deno.test("select() gives a listener of lib.socket when a client is there, and takes none", () =>
  runConns(async (_near, _far, listener) => {
    assertEquals(await select([listener], [], { timeout: 2 }), [[], []]);
    const selecting = [1, 2].map(() => witness(() => select([listener])));
    const killed = witness(() => select([listener]));
    await sleep(1);
    killed.task.kill();
    using _client = await lib.socket.connect({ port: listener.addr.port });
    for (const { task } of selecting) await task.join();
    for (const { outcome } of selecting) assertEquals(outcome, { value: [[listener], []] });
    assertEquals(await select([listener]), [[listener], []]);
    (await listener.accept()).close();
    assertEquals(await select([listener], [], { timeout: 2 }), [[], []]);
    await assertRejects(() => select([], [listener]), TypeError, "for writing");
    listener.close();
    assertEquals(await select([listener]), [[listener], []]);
  }));

Deno.test("select() gives what is ready to be read, though something can be written at once", () =>
  runConns(async (near, far) => {
    await far.write(new Uint8Array(1));
    await sleep(5);
    assertEquals(await select([near], [near]), [[near], [near]]);
    assertEquals(await select([near], [near, far], { timeout: 0 }), [[near], [near, far]]);
  }));

Deno.test("select() refuses connections of the platform's own", () =>
  runConns(async (_near, _far, listener) => {
    using plain = await Deno.connect({ port: listener.addr.port });
    await assertRejects(() => select([plain]), TypeError, "class TcpConn");
    (await listener.accept()).close();
  }));

Deno.test("select() of nothing waits for its timeout on the loop's clock, and for ever without one", async () => {
  await runLoop(async (loop) => {
    assertEquals(await select([], [], { timeout: 3_600_000 }), [[], []]);
    assertEquals(loop.time(), 3_600_000);
  });
  await assertRejects(
    () => runLoop(() => void spawn(() => select([]))),
    DeadlockError,
    "select() of 0 sources",
  );
});
