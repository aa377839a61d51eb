import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  cooperate,
  errno,
  Event,
  EventLoop,
  lib,
  Queue,
  sleep,
  spawn,
  StreamError,
  Task,
  Timeout,
  TimeoutError,
  upgrade,
  type UpgradeOptions,
  WebSocketConnection,
} from "../../mod.ts";
import { outcomeOf } from "../run_loop.ts";
import {
  BINARY,
  CLOSE,
  closing,
  codeOf,
  frame,
  type FrameOptions,
  PING,
  PONG,
  RawWebSocket,
  TEXT,
} from "./_raw_web_socket.ts";
import { text } from "./_scripted.ts";
import { withServer } from "./_with_server.ts";

/** How long something that must happen may take. */
const SOON = { timeout: 10_000 };

/** Has a server whose end of each WebSocket is `handle`, and a raw client of it, while `body` runs. */
async function withRaw(
  handle: (socket: WebSocketConnection) => Promise<unknown>,
  body: (raw: RawWebSocket, url: string) => Promise<void>,
  options?: UpgradeOptions,
): Promise<void> {
  let ended = 0;
  let failure: unknown;
  const end = new Event();
  await withServer(async (request) => {
    try {
      await handle(await upgrade(request, options));
    } catch (error) {
      failure ??= error;
    } finally {
      ended++;
      end.set();
    }
  }, async (url) => {
    using raw = await RawWebSocket.open(url);
    await body(raw, url);
    assert(await end.wait(SOON), "the handler goes on");
  });
  assert(ended > 0);
  if (failure !== undefined) throw failure;
}

/** What `receive()` throws. */
async function failureOf(socket: WebSocketConnection): Promise<StreamError> {
  return await assertRejects(() => socket.receive(SOON), StreamError);
}

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
    assert(/^Cannot receive from 127.0.0.1:\d+: a message is over 10 bytes$/.test(error.message));
    assertEquals([error.code, error.errno], ["EMSGSIZE", errno.EMSGSIZE]);
  });
});

Deno.test("a WebSocket that is not answered closes, and its receive() throws ETIMEDOUT", async () => {
  await withRaw(async (socket) => {
    const error = await failureOf(socket);
    assertEquals([error.code, error.errno], ["ETIMEDOUT", errno.ETIMEDOUT]);
    assertEquals(error.address, `127.0.0.1:${socket.peername.port}`);
    assert(error.cause instanceof Error);
    assert(socket.closed);
    // Again, and for everything else.
    assertEquals((await failureOf(socket)).code, "ETIMEDOUT");
    assertEquals((await assertRejects(() => socket.send("x"), StreamError)).code, "ECLOSED");
  }, async (raw) => {
    assertEquals((await raw.receive())?.opcode, PING);
    assertEquals(codeOf((await raw.receive())!), 1001);
    assertEquals(await raw.receive(), null);
  }, { idleTimeout: 100 });
});

Deno.test("a WebSocket is pinged while it is idle, and one that answers stays", async () => {
  const done = new Event();
  await withRaw(async (socket) => {
    await done.wait(SOON);
    assertEquals(await socket.receive(SOON), "still here");
  }, async (raw) => {
    for (let i = 0; i < 5; i++) {
      const ping = (await raw.receive())!;
      assertEquals(ping.opcode, PING);
      await raw.send(PONG, ping.payload);
    }
    await raw.send(TEXT, "still here");
    done.set();
  }, { idleTimeout: 60 });
});

Deno.test("the platform gives no other way to ping: when it does, there is something to add here", () => {
  assertEquals("ping" in WebSocket.prototype, false);
  assertEquals("WebSocketStream" in globalThis, false);
});

Deno.test("a ping of the client's is answered, between the parts of a message too", async () => {
  await withRaw(async (socket) => {
    assertEquals(await socket.receive(SOON), "grüße");
    assertEquals(await socket.receive(SOON), new Uint8Array([1, 2]));
    assertEquals(await socket.receive(SOON), "");
    assertEquals(await socket.receive(SOON), null);
    assertEquals([socket.closeCode, socket.closeReason], [4001, "bye"]);
  }, async (raw) => {
    const [first, second] = [new TextEncoder().encode("grüße").slice(0, 3), "\x9fe"];
    await raw.send(TEXT, first, { last: false });
    await raw.send(PING, "are you there");
    const pong = (await raw.receive())!;
    assertEquals([pong.opcode, text(pong.payload)], [PONG, "are you there"]);
    assertEquals(second.length, 2);
    await raw.send(0, new Uint8Array([0xbc]), { last: false });
    await raw.send(0, "ße");
    await raw.send(BINARY, new Uint8Array([1]), { last: false });
    await raw.send(0, new Uint8Array([2]));
    await raw.send(TEXT);
    await raw.send(CLOSE, closing(4001, "bye"));
    assertEquals(codeOf((await raw.receive())!), 4001);
  });
});

Deno.test("every byte of a frame may come alone", async () => {
  await withRaw(async (socket) => {
    assertEquals(await socket.receive(SOON), "x".repeat(200));
  }, async (raw) => {
    for (const byte of frame(TEXT, "x".repeat(200))) await raw.write(new Uint8Array([byte]));
  });
});

const malformed: [string, string, [number, (string | Uint8Array)?, FrameOptions?][]][] = [
  ["a reserved bit", "EPROTO", [[TEXT, "x", { reserved: 4 }]]],
  ["an opcode that is none", "EPROTO", [[5, "x"]]],
  ["a text that is no UTF-8", "EPROTO", [[TEXT, new Uint8Array([0xff])]]],
  ["a part of no message", "EPROTO", [[0, "x"]]],
  ["a message within a message", "EPROTO", [[TEXT, "x", { last: false }], [TEXT, "y"]]],
  ["a ping that is too long", "EPROTO", [[PING, "x".repeat(126)]]],
  ["a ping in parts", "EPROTO", [[PING, "x", { last: false }]]],
  ["a close with half a code", "EPROTO", [[CLOSE, new Uint8Array([3])]]],
  ["a close with a code that may not be sent", "EPROTO", [[CLOSE, closing(1005)]]],
  ["a frame as long as a disk", "EMSGSIZE", [[BINARY, "x", { length: 2 ** 40 }]]],
];

for (const [what, code, frames] of malformed) {
  Deno.test(`${what} ends the WebSocket, and receive() throws ${code} after what came before`, async () => {
    await withRaw(async (socket) => {
      assertEquals(await socket.receive(SOON), "before");
      const error = await failureOf(socket);
      assertEquals([error.name, error.code], ["StreamError", code]);
      assertEquals(error.errno, errno[code as "EPROTO"]);
      assertEquals(error.address, `127.0.0.1:${socket.peername.port}`);
      assert(error.cause instanceof Error);
      assertEquals([socket.closed, socket.closeCode], [true, 1006]);
    }, async (raw) => {
      await raw.send(TEXT, "before");
      for (const each of frames) await raw.send(...each);
      while (await raw.receive() !== null);
    });
  });
}

Deno.test("a client that ends without closing, or in the middle of a frame, is an error", async () => {
  for (const last of [frame(TEXT, "hello"), frame(TEXT, "hello").slice(0, 7)]) {
    await withRaw(async (socket) => {
      if (last.length > 7) assertEquals(await socket.receive(SOON), "hello");
      const error = await failureOf(socket);
      assertEquals([error.code, error.errno], ["ECONNRESET", errno.ECONNRESET]);
      assertEquals(socket.closeCode, 1006);
    }, async (raw) => {
      await raw.write(last);
      await raw.end();
      assertEquals(await raw.receive(), null);
    });
  }
});

Deno.test("a client that resets the connection while it is sent to is an error on both calls", async () => {
  await withRaw(async (socket) => {
    const big = new Uint8Array(4_000_000);
    const sending = spawn(async () => {
      const error = await assertRejects(async () => {
        while (true) await socket.send(big);
      }, StreamError);
      assert(["ECONNRESET", "EPIPE", "ECLOSED"].includes(error.code), error.code);
    });
    const error = await failureOf(socket);
    assert(["ECONNRESET", "EPIPE"].includes(error.code), error.code);
    assertEquals(error.errno, errno[error.code as "EPIPE"]);
    assert(await sending.join(SOON));
  }, async (raw) => {
    await raw.receive(); // The first of it. What comes then is not read: the system answers with a reset.
    await sleep(20);
    raw.close();
  });
});

Deno.test("send() waits for a client that does not read, and memory is bounded", async () => {
  const go = new Event();
  await withRaw(async (socket) => {
    const message = new Uint8Array(300_000).fill(7);
    let sent = 0;
    await assertRejects(async () => {
      for (; sent < 1_000; sent++) await socket.send(message, { timeout: 50 });
    }, TimeoutError);
    assert(sent < 100 && socket.buffered < 2_000_000, `${sent} ${socket.buffered}`);
    // A timeout of 0, a kill and an abort end the wait too; the messages are sent all the same.
    await assertRejects(() => socket.send("a", { timeout: 0 }), TimeoutError);
    const killed = spawn(() => socket.send("b"));
    await sleep(5);
    killed.kill();
    assert(await killed.join(SOON));
    await assertRejects(() => socket.send("c", { signal: AbortSignal.timeout(5) }));
    await assertRejects(() => new Timeout(5).run(() => socket.send("d")), Timeout);
    const waiting = spawn(() => socket.send("e"));
    const flushing = spawn(() => socket.flush());
    await sleep(5);
    assertEquals([waiting.state, flushing.state], ["waiting", "waiting"]);
    go.set();
    assertEquals(await socket.receive(SOON), "go on");
    assert(await waiting.join(SOON));
    assert(await flushing.join(SOON));
    assertEquals(socket.buffered, 0);
    await socket.send(`${sent + 1}`);
    assertEquals(await socket.receive(SOON), null);
  }, async (raw) => {
    assert(await go.wait(SOON));
    await raw.send(TEXT, "go on");
    let big = 0;
    let small = "";
    while (true) {
      const { opcode, payload } = (await raw.receive())!;
      if (opcode === BINARY) {
        assertEquals(payload.length, 300_000);
        assert(payload.every((byte) => byte === 7));
        big++;
      } else if (payload.length === 1) small += text(payload);
      else {
        assertEquals([String(big), small], [text(payload), "abcde"]);
        break;
      }
    }
    await raw.send(CLOSE, closing(1000));
  });
});

Deno.test("the bytes of a message may be used again as soon as send() was called", async () => {
  await withRaw(async (socket) => {
    const bytes = new Uint8Array(500_000).fill(1);
    const sending = socket.send(bytes);
    bytes.fill(2);
    await sending;
    await socket.receive(SOON);
  }, async (raw) => {
    assert((await raw.receive())!.payload.every((byte) => byte === 1));
    await raw.send(CLOSE, closing(1000));
  });
});

Deno.test("what was sent arrives before close(), though the client is sending too", async () => {
  await withRaw(async (socket) => {
    await using _ = socket;
    assertEquals(await socket.receive(SOON), "hello");
    void socket.send(new Uint8Array(20_000_000)).catch(() => {});
    await socket.send("the end", { timeout: 0 }).catch(() => {});
  }, async (raw) => {
    await raw.send(TEXT, "hello");
    let talking = true;
    const talk = (async () => {
      try {
        while (talking) await raw.send(TEXT, "x".repeat(1_000)), await sleep(1);
      } catch {
        // The server has gone.
      }
    })();
    assertEquals((await raw.receive())!.payload.length, 20_000_000);
    assertEquals(text((await raw.receive())!.payload), "the end");
    const close = await raw.receive();
    // What the client has sent since makes the system send a reset, which may overtake it.
    if (close !== null) assertEquals(codeOf(close), 1000);
    talking = false;
    await talk;
  });
});

Deno.test("tasks that receive are served in the order in which they came, and a killed one takes nothing", async () => {
  const ready = new Event();
  const log: string[] = [];
  await withRaw(async (socket) => {
    const receivers = ["a", "b", "c", "d"].map((name) =>
      spawn(async () => void log.push(name + await socket.receive(SOON)))
    );
    await sleep(0);
    receivers[1].kill();
    ready.set();
    for (const receiver of receivers) assert(await receiver.join(SOON));
    assertEquals(await socket.receive(SOON), "4");
  }, async (raw) => {
    await ready.wait(SOON);
    for (const each of "1234") await raw.send(TEXT, each);
  });
  assertEquals(log, ["a1", "c2", "d3"]);
});

Deno.test("after close() every call is refused with ECLOSED, those that wait are too, and close() twice is one", async () => {
  await withRaw(async (socket) => {
    const refused = (call: () => Promise<unknown>) =>
      assertRejects(call, StreamError).then(({ code, address }) => [code, address]);
    const expected = ["ECLOSED", `127.0.0.1:${socket.peername.port}`];
    const waiting = refused(() => socket.receive());
    await sleep(0);
    socket.close(4000, "enough");
    socket.close(1000);
    socket[Symbol.asyncDispose]();
    assertEquals(await waiting, expected);
    assertEquals(await refused(() => socket.receive()), expected);
    assertEquals(await refused(() => socket.send("x")), expected);
    assertEquals(await refused(() => socket.flush()), expected);
    assertEquals(socket.closed, true);
  }, async (raw) => {
    const close = (await raw.receive())!;
    assertEquals([codeOf(close), text(close.payload.slice(2))], [4000, "enough"]);
    await raw.send(CLOSE, close.payload);
    assertEquals(await raw.receive(), null);
  });
});

Deno.test("close() with a code or a reason that cannot be sent, and send() of what is no message, are refused", async () => {
  await withRaw(async (socket) => {
    for (const code of [0, 999, 1004, 1005, 1006, 1015, 2000, 5000, 1.5, NaN]) {
      assertThrows(() => socket.close(code), RangeError);
    }
    assertThrows(() => socket.close(1000, "ü".repeat(62)), RangeError);
    assertThrows(() => socket.close(1000, 5 as never), TypeError);
    for (const message of [5, null, new ArrayBuffer(1), new Blob(["x"])]) {
      await assertRejects(() => socket.send(message as never), TypeError);
    }
    await assertRejects(() => socket.receive({ timeout: -1 }), RangeError);
    await assertRejects(() => socket.receive({ timeout: 0 }), TimeoutError);
    assert(!socket.closed);
    socket.close(1000, "ü".repeat(61));
  }, async (raw) => assertEquals(codeOf((await raw.receive())!), 1000));
});

Deno.test("a text is measured in bytes, and one of exactly the limit is taken", async () => {
  await withRaw(async (socket) => {
    assertEquals(await socket.receive(SOON), "ü".repeat(5));
    assertEquals((await failureOf(socket)).code, "EMSGSIZE");
  }, async (raw) => {
    await raw.send(TEXT, "ü".repeat(5));
    await raw.send(TEXT, "ü".repeat(5) + "x");
    assertEquals(codeOf((await raw.receive())!), 1009);
  }, { maxMessageSize: 10 });
});

for (
  const [what, message, count] of [
    ["bytes", "x".repeat(100), 11],
    ["empty messages", "", 2_000],
  ] as const
) {
  Deno.test(`a client that sends more ${what} than may wait is closed with 1008, and what waits is received`, async () => {
    const go = new Event();
    await withRaw(async (socket) => {
      await go.wait(SOON);
      for (let i = 0; i < 10; i++) assertEquals(await socket.receive(SOON), message);
      await assertRejects(
        async () => {
          for (let i = 0; i < count; i++) await socket.receive(SOON);
        },
        StreamError,
        "are waiting to be received",
      );
    }, async (raw) => {
      for (let i = 0; i < count; i++) await raw.send(TEXT, message).catch(() => {});
      const close = await raw.receive();
      // What the client has sent after that may make the system send a reset, which overtakes it.
      if (close !== null) assertEquals(codeOf(close), 1008);
      go.set();
    }, { maxQueuedSize: 1_000 });
  });
}

Deno.test("a WebSocket can be watched: for messages, its end, and room to send", async () => {
  const [talk, read] = [new Event(), new Event()];
  await withRaw(async (socket) => {
    const { select } = lib.select;
    assertEquals(await select([socket], [socket], { timeout: 0 }), [[], [socket]]);
    assertEquals(await select([socket], [], { timeout: 5 }), [[], []]);
    talk.set();
    const [readers] = await select([socket], [], SOON);
    assertEquals(readers, [socket]);
    assertEquals(await socket.receive({ timeout: 0 }), "1");
    // Until the client reads, there is no room.
    for (let full = false; !full;) {
      full = await socket.send(new Uint8Array(500_000), { timeout: 20 })
        .then(() => false, () => true);
    }
    assertEquals(await select([], [socket], { timeout: 0 }), [[], []]);
    read.set();
    assertEquals((await select([], [socket], SOON))[1], [socket]);
    assertEquals((await select([socket], [], SOON))[0], [socket]);
    assertEquals(await socket.receive({ timeout: 0 }), null);
  }, async (raw) => {
    assert(await talk.wait(SOON));
    await raw.send(TEXT, "1");
    assert(await read.wait(SOON));
    for (let payload = 0; payload < 3_000_000;) payload += (await raw.receive())!.payload.length;
    const rest = (async () => {
      while (await raw.receive() !== null);
    })();
    await sleep(50);
    await raw.send(CLOSE, closing(1000));
    await rest;
  });
});

Deno.test("a handler that is killed while upgrade() waits leaves no WebSocket open", async () => {
  const handled = new Event();
  await withServer(async (request) => {
    const task = Task.current();
    queueMicrotask(() => task.kill());
    try {
      await upgrade(request);
    } finally {
      handled.set();
    }
  }, async (url) => {
    using raw = await RawWebSocket.open(url);
    assert(await handled.wait(SOON));
    assertEquals(codeOf((await raw.receive())!), 1000);
  });
});

Deno.test("upgrade() twice, with a protocol that was not offered, or with options that are none, is refused", async () => {
  const seen = new Queue<unknown>();
  await withServer(async (request) => {
    for (
      const [options, error] of [
        [{ protocol: "chat" }, TypeError],
        [{ idleTimeout: -1 }, RangeError],
        [{ idleTimeout: NaN }, RangeError],
        [{ maxMessageSize: 0 }, RangeError],
      ] as [UpgradeOptions, new () => Error][]
    ) await assertRejects(() => upgrade(request, options), error);
    const socket = await upgrade(request, { protocol: "talk" });
    await assertRejects(() => upgrade(request), TypeError, "upgraded already");
    seen.putNowait(socket.protocol);
  }, async (url) => {
    using raw = await RawWebSocket.open(url, "Sec-WebSocket-Protocol: talk, other\r\n");
    assert(/sec-websocket-protocol: talk/i.test(raw.head), raw.head);
    assertEquals(await seen.get(SOON), "talk");
  });
});

Deno.test("close() of the server with time tells its WebSockets, whose receive() gives null", async () => {
  const log: unknown[] = [];
  await withServer(async (request) => {
    await using socket = await upgrade(request);
    for await (const message of socket) log.push(message);
    log.push("null");
    await sleep(20); // What a handler does at its end has its time too.
    log.push("ended");
  }, async (url, server) => {
    using raw = await RawWebSocket.open(url);
    using silent = await RawWebSocket.open(url);
    await raw.send(TEXT, "hello");
    while (log.length === 0) await sleep(1);
    const closed = spawn(() => server.close({ graceful: 1_000 }));
    assertEquals(codeOf((await raw.receive())!), 1001);
    await raw.send(CLOSE, closing(1001));
    // The other one does not answer: it is dropped when the time is over.
    assertEquals(codeOf((await silent.receive())!), 1001);
    assert(await closed.join(SOON));
    assertEquals(await silent.receive(), null);
    assertEquals(server.active, 0);
  });
  assertEquals(log.slice(0, 3), ["hello", "null", "ended"]);
});

Deno.test("a handler that fails closes its WebSocket with 1011, and one that takes long is not timed out", async () => {
  const errors: unknown[] = [];
  const loop = EventLoop.current();
  loop.setExceptionHandler(({ error }) => errors.push(error));
  await withServer(async (request) => {
    const socket = await upgrade(request);
    assertEquals(await socket.receive(SOON), "late");
    throw new Error("in the handler");
  }, async (url) => {
    using raw = await RawWebSocket.open(url);
    await sleep(100);
    await raw.send(TEXT, "late");
    assertEquals(codeOf((await raw.receive())!), 1011);
  }, { timeout: 20 });
  loop.setExceptionHandler(null);
  assertEquals(errors.map((error) => (error as Error).message), ["in the handler"]);
});

Deno.test("close() of the server ends the handlers of 200 WebSockets, and nothing is reported", async () => {
  const errors: unknown[] = [];
  const loop = EventLoop.current();
  loop.setExceptionHandler(({ error }) => errors.push(error));
  const open = new Set<WebSocketConnection>();
  let ended = 0;
  await withServer(async (request) => {
    await using socket = await upgrade(request);
    open.add(socket);
    try {
      for await (const message of socket) {
        for (const each of open) await each.send(message);
      }
    } finally {
      ended++;
    }
  }, async (url, server) => {
    const all = await Promise.all(Array.from({ length: 200 }, () => RawWebSocket.open(url)));
    while (open.size < all.length) await sleep(1);
    await all[7].send(TEXT, "to all");
    for (const raw of all) assertEquals(text((await raw.receive())!.payload), "to all");
    await server.close();
    assertEquals(ended, all.length);
    for (const raw of all) {
      while (await raw.receive() !== null);
      raw.close();
    }
  });
  loop.setExceptionHandler(null);
  assertEquals(errors, []);
});

/** A socket of the platform's, as far as a connection uses it, for whom a test plays the platform. */
class PlayedSocket {
  readyState: number = WebSocket.OPEN;
  binaryType = "";
  bufferedAmount = 0;
  protocol = "";
  sent: unknown[] = [];
  onmessage: (event: { data: unknown }) => void = () => {};
  onclose: (event: { code: number; reason: string }) => void = () => {};

  send(message: unknown): void {
    this.sent.push(message);
  }

  close(code: number): void {
    this.readyState = WebSocket.CLOSED;
    this.onclose({ code, reason: "" });
  }
}

function played(): { socket: PlayedSocket; connection: WebSocketConnection } {
  const socket = new PlayedSocket();
  const peername: Deno.NetAddr = { transport: "tcp", hostname: "127.0.0.1", port: 1 };
  const limits = { maxMessageSize: 100, maxQueuedSize: 1_000 };
  const connection = new WebSocketConnection(socket as never, peername, limits);
  return { socket, connection };
}

for (const how of ["killed", "aborted", "timed out"]) {
  Deno.test(`a receive() that is ${how}, at whichever step, loses no message`, async () => {
    for (let steps = 0; steps < 14; steps++) {
      const { socket, connection } = played();
      const got: unknown[] = [];
      const abort = new AbortController();
      const wait = {
        killed: {},
        aborted: { signal: abort.signal },
        "timed out": { timeout: steps },
      };
      const victim = spawn(() =>
        outcomeOf(async () => {
          for (let i = 0; i < 2; i++) {
            got.push(await connection.receive(wait[how as keyof typeof wait]));
          }
        })
      );
      const other = spawn(async () => {
        for await (const message of connection) got.push(message);
      });
      const feeder = spawn(async () => {
        for (let i = 0; i < 6; i++) {
          await sleep(how === "timed out" ? 2 : 0);
          socket.onmessage({ data: String(i) });
        }
        await sleep(0);
        socket.close(1000);
      });
      for (let i = 0; i < steps && how !== "timed out"; i++) await sleep(0);
      if (how === "killed") victim.kill();
      else abort.abort();
      for (const task of [victim, other, feeder]) assert(await task.join(SOON));
      assertEquals(got.filter((message) => message !== null).sort(), [..."012345"], `${steps}`);
    }
  });
}

for (const how of ["killed", "aborted", "timed out"]) {
  Deno.test(`a send() that is ${how}, at whichever step, is sent all the same, and the others go on`, async () => {
    for (let steps = 0; steps < 12; steps++) {
      const { socket, connection } = played();
      socket.bufferedAmount = 2_000_000;
      const abort = new AbortController();
      const wait = {
        killed: {},
        aborted: { signal: abort.signal },
        "timed out": { timeout: steps },
      };
      const begun: string[] = [];
      const send = async (message: string, options?: object) => {
        begun.push(message);
        await connection.send(message, options);
      };
      const victim = spawn(() =>
        outcomeOf(async () => {
          for (const each of ["a", "b"]) await send(each, wait[how as keyof typeof wait]);
        })
      );
      const others = ["1", "2"].map((each) => spawn(() => send(each)));
      const flusher = spawn(() => connection.flush());
      const drain = spawn(async () => {
        await sleep(6);
        socket.bufferedAmount = 0;
      });
      for (let i = 0; i < steps && how !== "timed out"; i++) await sleep(1);
      if (how === "killed") victim.kill();
      else abort.abort();
      for (const task of [victim, ...others, flusher, drain]) assert(await task.join(SOON));
      // A call that is refused at once, as its signal has aborted or it is killed already, sends nothing.
      assertEquals(socket.sent, begun.filter((each) => socket.sent.includes(each)));
      assert(begun.length - socket.sent.length <= 1);
      assert(["1", "2"].every((each) => socket.sent.includes(each)));
    }
  });
}

/** The same numbers at each run. */
function* numbers(seed: number): Generator<number, never> {
  while (true) {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    yield seed / 2_147_483_648;
  }
}

Deno.test("whatever bytes a client sends, its WebSocket ends and the server goes on", async () => {
  const random = numbers(7);
  const draw = (most: number) => Math.floor(random.next().value * most);
  let ended = 0;
  await withServer(async (request) => {
    const socket = await upgrade(request, { maxMessageSize: 1_000 });
    try {
      while (await socket.receive(SOON) !== null);
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      assert(["EPROTO", "EMSGSIZE", "ECONNRESET", "EPIPE"].includes(error.code), error.message);
    } finally {
      ended++;
    }
  }, async (url) => {
    for (let i = 0; i < 300; i++) {
      using raw = await RawWebSocket.open(url);
      const frames = Array.from(
        { length: 1 + draw(4) },
        () =>
          frame([TEXT, BINARY, 0, PING, PONG, CLOSE, draw(16)][draw(7)], "x".repeat(draw(300)), {
            last: draw(4) > 0,
          }),
      );
      const bytes = new Uint8Array(frames.flatMap((each) => [...each]));
      for (let flips = draw(4); flips > 0; flips--) bytes[draw(bytes.length)] ^= 1 << draw(8);
      await raw.write(bytes).catch(() => {});
      await raw.end().catch(() => {});
      while (await raw.receive() !== null);
    }
    for (let i = 0; ended < 300 && i < 1_000; i++) await sleep(5);
    assertEquals(ended, 300);
  });
});

Deno.test("2,000 messages each way at once arrive in order", async () => {
  await withServer(async (request) => {
    await using socket = await upgrade(request);
    const sending = spawn(async () => {
      for (let i = 0; i < 2_000; i++) await socket.send(`s${i}`);
    });
    for (let i = 0; i < 2_000; i++) assertEquals(await socket.receive(SOON), `c${i}`);
    await sending.join();
  }, async (url) => {
    const socket = new WebSocket(url.replace("http", "ws"));
    const got: unknown[] = [];
    socket.onmessage = ({ data }) => got.push(data);
    await cooperate(new Promise((resolve) => socket.onopen = resolve));
    for (let i = 0; i < 2_000; i++) socket.send(`c${i}`);
    await cooperate(closed(socket));
    assertEquals(got, Array.from({ length: 2_000 }, (_, i) => `s${i}`));
  });
});

Deno.test("the client of npm's ws is answered: pings, parts, close codes, and what it offers and does not get", async () => {
  const { WebSocket: Client } = await import("npm:ws@8.18.0") as {
    // deno-lint-ignore no-explicit-any
    WebSocket: new (url: string, protocols?: string[], options?: object) => any;
  };
  const seen = new Queue<unknown>();
  await withServer(async (request) => {
    await using socket = await upgrade(request, { protocol: "talk" });
    for await (const message of socket) await socket.send(message);
    seen.putNowait([socket.closeCode, socket.closeReason, socket.protocol]);
  }, async (url) => {
    // It offers compression, which the platform does not speak.
    const client = new Client(url.replace("http", "ws"), ["other", "talk"], {
      perMessageDeflate: true,
    });
    const once = (event: string) =>
      cooperate(new Promise<unknown>((resolve) => client.once(event, resolve)));
    await once("open");
    assertEquals([client.protocol, client.extensions], ["talk", ""]);
    const pong = once("pong");
    client.ping("here");
    assertEquals(String(await pong), "here");
    const echo = once("message");
    client.send("pa", { fin: false });
    client.send("rts", { fin: true });
    assertEquals(String(await echo), "parts");
    const ended = once("close");
    client.close(4321, "bye");
    assertEquals(await ended, 4321);
    assertEquals(await seen.get(SOON), [4321, "bye", "talk"]);
  });
});
