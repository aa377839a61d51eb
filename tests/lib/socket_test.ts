import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { lib, sleep, spawn, TaskGroup, Timeout } from "../../mod.ts";
import { errorOf, runLoop, valueOf, witness } from "../run_loop.ts";

const { connect, connectTls, listen, listenTls, startTls } = lib.socket;
const HOST = { hostname: "127.0.0.1", port: 0 };
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What connects to a listener. */
function to({ addr: { port } }: Deno.TcpListener): { port: number } {
  return { port };
}

/** What one read brings, as text. */
async function readText(conn: Deno.Conn, max = 100): Promise<string | null> {
  const buffer = new Uint8Array(max);
  const count = await conn.read(buffer);
  return count === null ? null : new TextDecoder().decode(buffer.subarray(0, count));
}

/** Runs `body` as a task with two connections that are connected with each other. */
function run(body: (near: Deno.TcpConn, far: Deno.TcpConn) => unknown): Promise<void> {
  return runLoop(async () => {
    using listener = listen(HOST);
    using near = await connect(to(listener));
    using far = await listener.accept();
    await body(near, far);
  }, { clock: undefined });
}

Deno.test("a connection reads and writes, and has the addresses of both ends", () =>
  run(async (near, far) => {
    assertEquals(await near.write(encode("hello")), 5);
    assertEquals(await readText(far, 2), "he");
    assertEquals(await readText(far), "llo");
    assertEquals(near.remoteAddr, far.localAddr);
    assertEquals(near.localAddr, far.remoteAddr);
    assertEquals(await near.read(new Uint8Array(0)), 0);
  }));

Deno.test("a connection has all that the platform's has", () =>
  runLoop(async () => {
    using listener = listen(HOST);
    using cooperative = await connect(to(listener));
    using plain = await Deno.connect(to(listener));
    const members = (object: object | null): PropertyKey[] =>
      object === null || object === Object.prototype
        ? []
        : [...Reflect.ownKeys(object), ...members(Object.getPrototypeOf(object))];
    for (const name of members(Object.getPrototypeOf(plain))) {
      assert(name in cooperative, String(name));
    }
    cooperative.setNoDelay(true);
    cooperative.setKeepAlive(true);
    (await listener.accept()).close();
    (await listener.accept()).close();
  }, { clock: undefined }));

Deno.test("a read that is killed or timed out loses no byte", () =>
  run(async (near, far) => {
    const killed = spawn(() => readText(near));
    await sleep(2);
    killed.kill();
    assert(await killed.join());
    const timeout = new Timeout(2);
    const timedOut = witness(() => timeout.run(() => readText(near)));
    await timedOut.task.join();
    assertStrictEquals(errorOf(timedOut), timeout);
    await far.write(encode("late"));
    assertEquals(await readText(near), "late");
  }));

Deno.test("closeWrite() ends one direction, and the other goes on", () =>
  run(async (near, far) => {
    await near.write(encode("bye"));
    await near.closeWrite();
    assertEquals(await readText(far), "bye");
    assertEquals(await readText(far), null);
    await far.write(encode("still"));
    assertEquals(await readText(near), "still");
    await assertRejects(() => near.write(encode("x")), Deno.errors.BrokenPipe);
  }));

Deno.test("close() ends what waits, as the platform's does, and may be called once", () =>
  run(async (near) => {
    const reading = witness(() => readText(near));
    await sleep(1);
    near.close();
    await reading.task.join();
    assertInstanceOf(errorOf(reading), Deno.errors.Interrupted);
    await assertRejects(() => readText(near), Deno.errors.BadResource);
    await assertRejects(() => near.write(encode("x")), Deno.errors.BadResource);
    assertThrows(() => near.close(), Deno.errors.BadResource);
  }));

Deno.test("readable and writable carry all there is, and close the connection at the end", () =>
  run(async (near, far) => {
    const data = new Uint8Array(3_000_000).map((_, index) => index * 7);
    await using group = new TaskGroup();
    group.spawn(() => far.readable.pipeTo(far.writable));
    group.spawn(async () => {
      await near.write(data.subarray());
    });
    const back = new Uint8Array(data.length);
    let at = 0;
    for await (const chunk of near.readable) {
      back.set(chunk, at);
      at += chunk.length;
      if (at === data.length) break;
    }
    assertEquals(back, data);
    await assertRejects(() => readText(near), Deno.errors.BadResource);
  }));

Deno.test("a refused connection is the platform's error", () =>
  runLoop(async () => {
    const listener = listen(HOST);
    const target = to(listener);
    listener.close();
    await assertRejects(() => connect(target), Deno.errors.ConnectionRefused);
  }, { clock: undefined }));

Deno.test("an attempt to connect is killed, and is aborted by the signal it was given", () =>
  runLoop(async () => {
    using listener = listen(HOST);
    const abort = new AbortController();
    abort.abort(new Error("enough"));
    await assertRejects(() => connect({ ...to(listener), signal: abort.signal } as never), Error);
    const killed = spawn(() => connect(to(listener)));
    await sleep(0);
    killed.kill();
    assert(await killed.join());
  }, { clock: undefined }));

Deno.test("an accept that is killed loses no client, and several tasks may accept", () =>
  runLoop(async () => {
    using listener = listen(HOST);
    const killed = spawn(() => listener.accept());
    await sleep(1);
    killed.kill();
    assert(await killed.join());
    using _first = await connect(to(listener));
    await sleep(2);
    (await listener.accept()).close();
    const accepting = [1, 2].map(() => witness(() => listener.accept()));
    using _second = await connect(to(listener));
    using _third = await connect(to(listener));
    for (const seen of accepting) {
      await seen.task.join();
      valueOf(seen).close();
    }
  }, { clock: undefined }));

Deno.test("close() of a listener ends its iteration, and an accept as the platform does", () =>
  runLoop(async () => {
    const listener = listen(HOST);
    let ended = false;
    const serving = spawn(async () => {
      for await (const conn of listener) conn.close();
      ended = true;
    });
    const accepting = witness(() => listener.accept());
    await sleep(1);
    listener.close();
    await serving.join();
    await accepting.task.join();
    assert(ended);
    assertInstanceOf(errorOf(accepting), Deno.errors.BadResource);
    await assertRejects(() => listener.accept(), Deno.errors.BadResource);
  }, { clock: undefined }));

Deno.test(
  "Unix sockets are cooperative, too",
  { ignore: Deno.build.os === "windows" },
  () =>
    runLoop(async () => {
      const folder = await Deno.makeTempDir();
      const address = { transport: "unix" as const, path: `${folder}/socket` };
      {
        using listener = listen(address);
        using near = await connect(address);
        using far = await listener.accept();
        await near.write(encode("hello"));
        assertEquals(await readText(far), "hello");
        assertEquals(far.localAddr, address);
      }
      await Deno.remove(folder, { recursive: true });
    }, { clock: undefined }),
);

const cert = Deno.readTextFileSync(new URL("./localhost.crt", import.meta.url));
const key = Deno.readTextFileSync(new URL("./localhost.key", import.meta.url));

Deno.test("TLS connections are cooperative, too, by connectTls() and startTls()", () =>
  runLoop(async () => {
    using listener = listenTls({ ...HOST, hostname: "localhost", cert, key });
    const { port } = listener.addr as Deno.NetAddr;
    for (
      const open of [
        () => connectTls({ hostname: "localhost", port, caCerts: [cert] }),
        async () =>
          await startTls(await connect({ hostname: "localhost", port }), {
            hostname: "localhost",
            caCerts: [cert],
          }),
      ]
    ) {
      const serving = witness(async () => {
        using far = await listener.accept();
        await far.handshake();
        await far.write(encode(`to ${await readText(far)}`));
      });
      using near = await open();
      await near.handshake();
      const killed = spawn(() => readText(near));
      await sleep(1);
      killed.kill();
      await killed.join();
      await near.write(encode("you"));
      assertEquals(await readText(near), "to you");
      await serving.task.join();
      valueOf(serving);
    }
  }, { clock: undefined }));

Deno.test("listenDatagram() is there where the platform has it", () => {
  assertEquals("listenDatagram" in lib.socket, "listenDatagram" in Deno);
});

Deno.test("datagrams are received cooperatively", async () => {
  const program = `
    import { lib, sleep, spawn } from "${new URL("../../mod.ts", import.meta.url)}";
    const one = lib.socket.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
    const two = lib.socket.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
    const killed = spawn(() => two.receive());
    await sleep(2);
    killed.kill();
    await killed.join();
    await one.send(new TextEncoder().encode("hello"), two.addr);
    const [data, from] = await two.receive();
    console.log(new TextDecoder().decode(data), from.port === one.addr.port);
    one.close();
    two.close();
  `;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--unstable-net", "--ext=ts", program],
    stderr: "inherit",
  }).output();
  assertEquals(new TextDecoder().decode(stdout), "hello true\n");
});
