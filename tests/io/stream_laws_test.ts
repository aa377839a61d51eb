import { assert, assertEquals, assertRejects } from "@std/assert";
import { createHash } from "node:crypto";
import { type BaseStream, sleep, spawn, StreamError, TimeoutError } from "../../mod.ts";
import { type Kind, kinds, type Pair } from "./_kinds.ts";
import { text } from "./_scripted.ts";
import { settle } from "./_settle.ts";

Deno.test.afterEach(settle);

const MEGABYTE = 1_000_000;

/** Every law holds for every kind of stream. */
function law(name: string, check: (pair: Pair, kind: Kind) => Promise<void>): void {
  for (const kind of kinds) {
    Deno.test(`${kind.name}: ${name}`, async () => {
      const pair = await kind.connect();
      try {
        await check(pair, kind);
      } finally {
        pair.close();
      }
    });
  }
}

/** Each way to give up a call. */
const giveUps: Record<string, (call: (options?: object) => Promise<unknown>) => Promise<void>> = {
  async "is killed"(call) {
    const task = spawn(() => call());
    await sleep(0);
    task.kill();
    await task.join();
  },
  async "times out"(call) {
    await assertRejects(() => call({ timeout: 1 }), TimeoutError);
  },
  async "is aborted"(call) {
    const abort = new AbortController();
    spawn(() => abort.abort(new Error("enough")));
    await assertRejects(() => call({ signal: abort.signal }), Error, "enough");
  },
};

/** Reads until what was written last has arrived. */
async function readText(stream: BaseStream, size: number): Promise<string | null> {
  return text(await stream.readBytes(size));
}

law("the first write is taken by the system", async ({ near, far }, { buffers }) => {
  if (buffers) return;
  assertEquals(await near.write("ping"), true);
  assertEquals(await readText(far, 4), "ping");
  assertEquals(await far.write("pong"), true);
  assertEquals(await readText(near, 4), "pong");
});

law("bytes arrive in order, however they are written and read", async ({ near, far }) => {
  const writer = spawn(async () => {
    for (let i = 0; i < 1_000; i++) await near.write(`line ${i}\r\n`);
    await near.write("the end");
    await near.shutdown();
  });
  assertEquals(text(await far.readUntil("\r\n")), "line 0\r\n");
  assertEquals(text(await far.readBytes(6)), "line 1");
  assertEquals(text(await far.readUntilRegex(/\d+\r/)), "\r\nline 2\r");
  assertEquals(text(await far.readUntil("\n")), "\n");
  const lines = await Array.fromAsync(far.lines());
  assertEquals(lines, [...Array.from({ length: 997 }, (_, i) => `line ${i + 3}`), "the end"]);
  assertEquals(await far.read(), null);
  await writer.join();
});

law("100 MB arrive as they were sent", async ({ near, far }) => {
  const sent = createHash("sha256");
  const received = createHash("sha256");
  const piece = crypto.getRandomValues(new Uint8Array(65_000));
  const total = 100 * MEGABYTE;
  const writer = spawn(async () => {
    for (let left = total, i = 0; left > 0; i++) {
      const data = piece.subarray(0, Math.min(left, 1 + (i * 7_919) % piece.length));
      data[0] = i;
      sent.update(data);
      await near.write(data);
      left -= data.length;
    }
    await near.shutdown();
  });
  let count = 0;
  for await (const chunk of far) {
    received.update(chunk);
    count += chunk.length;
  }
  await writer.join();
  assertEquals(count, total);
  assertEquals(received.digest("hex"), sent.digest("hex"));
});

law("a peer that does not read makes the writer wait, with little buffered", async (
  { near, far },
) => {
  const piece = new Uint8Array(50_000).fill(7);
  let written = 0;
  let most = 0;
  const writer = spawn(async () => {
    while (written < 200 * MEGABYTE) {
      await near.write(piece);
      written += piece.length;
      most = Math.max(most, near.buffered);
    }
  });
  while (writer.state !== "waiting" || near.buffered === 0) await sleep(1);
  writer.kill();
  await writer.join();
  assert(most <= 200_000, `${most} bytes were buffered`);
  // The write that was killed is sent too, and nothing twice.
  spawn(() => near.write("end"));
  let count = 0;
  for (let tail = ""; tail !== "end";) {
    const chunk = (await far.read())!;
    count += chunk.length;
    tail = (tail + text(chunk.subarray(-3))).slice(-3);
  }
  assertEquals(count, written + piece.length + 3);
});

for (const [how, giveUp] of Object.entries(giveUps)) {
  law(`a read that ${how} loses nothing`, async ({ near, far }) => {
    for (
      const call of [
        (options?: object) => far.read(undefined, options),
        (options?: object) => far.read(3, options),
        (options?: object) => far.readBytes(3, options),
        (options?: object) => far.readUntil("\n", options),
        (options?: object) => far.readUntilRegex(/\n/, options),
      ]
    ) {
      await giveUp(call);
      await near.write("ab");
      await near.flush();
      assertEquals(await readText(far, 2), "ab");
      await near.write("x");
      const rest = spawn(() => far.readBytes(3));
      await sleep(1);
      rest.kill();
      await near.write("y\n");
      assertEquals(await readText(far, 3), "xy\n");
    }
  });

  law(`a write that ${how} loses nothing`, async ({ near, far }) => {
    const piece = new Uint8Array(50_000).fill(7);
    let written = 0;
    while (near.buffered === 0) {
      written += piece.length;
      await near.write(piece, { timeout: 50 }).catch((error) => {
        if (!(error instanceof TimeoutError)) throw error;
      });
    }
    written += 2 * piece.length;
    await giveUp((options) => near.write(new Uint8Array(2 * piece.length).fill(7), options));
    await giveUp((options) => near.flush(options));
    const shutdown = spawn(() => near.shutdown());
    let count = 0;
    for await (const chunk of far) {
      count += chunk.length;
      assert(chunk.every((byte) => byte === 7));
    }
    assertEquals(count, written);
    await shutdown.join();
  });
}

law("after shutdown() the other side reads to the end, and can still write", async (
  { near, far },
  { halfClose },
) => {
  if (!halfClose) return;
  await near.write("question");
  await near.shutdown();
  assertEquals(await Array.fromAsync(far.lines()), ["question"]);
  await far.write("answer");
  assertEquals(await readText(near, 6), "answer");
  const error = await assertRejects(() => near.write("more"), StreamError);
  assertEquals(error.code, "EPIPE");
});

law("when one side closes, the other reads what was sent, then the end", async ({ near, far }) => {
  await near.write("bye");
  await near.flush();
  near.close();
  assertEquals(await readText(far, 100), "bye");
  assertEquals(await far.read(), null);
});

law("close() ends whoever waits with ECLOSED, and whoever comes", async ({ near }, { error }) => {
  const calls = [
    near.read(),
    near.readBytes(2),
    near.readUntil("\n"),
    near.readUntilRegex(/\n/),
  ].map((call) => assertRejects(() => call, error));
  near.close();
  near.close();
  for (const call of calls) assertEquals((await call).code, "ECLOSED");
  for (
    const call of [
      () => near.read(),
      () => near.readBytes(2),
      () => near.readUntil("\n"),
      () => near.readUntilRegex(/\n/),
      () => near.lines().next(),
      () => near.write("x"),
      () => near.flush(),
      () => near.shutdown(),
    ]
  ) {
    assertEquals((await assertRejects(call, error)).code, "ECLOSED");
  }
  assert(near.closed);
});

law("the platform's streams work on both sides", async ({ near, far }) => {
  const echo = spawn(() => far.readable.pipeTo(far.writable));
  const writer = spawn(async () => {
    await near.write("grüße ".repeat(10_000));
    await near.shutdown();
  });
  let answer = "";
  for await (const part of near.readable.pipeThrough(new TextDecoderStream() as TransformStream)) {
    answer += part;
  }
  assertEquals(answer, "grüße ".repeat(10_000));
  await writer.join();
  await echo.join();
});
