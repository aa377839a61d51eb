/** What holds for every kind of stream. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { createHash } from "node:crypto";
import {
  type BaseStream,
  BufferLimitError,
  IncompleteReadError,
  sleep,
  spawn,
  StreamError,
  type Task,
  TaskGroup,
  TimeoutError,
} from "../../mod.ts";
import { watching } from "../../loop/poll_source.ts";
import type { Abilities, Kind, Pair } from "./_kinds.ts";
import { text } from "./_scripted.ts";

/** Something that holds for every kind that has the abilities it needs. */
export interface Law {
  readonly name: string;
  readonly needs: readonly (keyof Abilities)[];
  check(pair: Pair, kind: Kind): Promise<void>;
}

/** All of them. */
export const laws: Law[] = [];

function law(
  name: string,
  needs: readonly (keyof Abilities)[],
  check: (pair: Pair, kind: Kind) => Promise<void>,
): void {
  laws.push({ name, needs, check });
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

/** Each way to read what ends with "b\r\n". */
const readsOfALine: Record<string, (stream: BaseStream) => Promise<string | null>> = {
  "readBytes()": async (stream) => text(await stream.readBytes(8)),
  "readUntil()": async (stream) => text(await stream.readUntil("b\r\n")),
  "readUntil() with bytes": async (stream) =>
    text(await stream.readUntil(new Uint8Array([98, 13, 10]))),
  "readUntilRegex()": async (stream) => text(await stream.readUntilRegex(/b\r\n/)),
  "lines()": async (stream) => (await stream.lines().next()).value + "\r\n",
};

/**
 * Writes while the caller reads; before it does, where a read does not wait.
 *
 * @returns What ends when all is written.
 */
async function feed({ waits }: Kind, write: () => Promise<void>): Promise<{ join: () => unknown }> {
  if (!waits) {
    await write();
    return { join: () => {} };
  }
  let failure: { error: unknown } | null = null;
  const task = spawn(async () => {
    try {
      await write();
    } catch (error) {
      failure = { error };
    }
  });
  return {
    async join() {
      await task.join();
      if (failure !== null) throw failure.error;
    },
  };
}

/** Writes, and waits until the system has it. */
async function send(stream: BaseStream, data: string | Uint8Array): Promise<void> {
  await stream.write(data);
  await stream.flush();
}

/** Writes until a write has to wait. Returns how much was written. */
async function fill(stream: BaseStream): Promise<number> {
  const piece = new Uint8Array(50_000).fill(7);
  let written = 0;
  for (let full = false; !full;) {
    written += piece.length;
    await stream.write(piece, { timeout: 50 }).catch((error) => {
      if (!(error instanceof TimeoutError)) throw error;
      full = true;
    });
  }
  return written;
}

law("the first write is taken by the system", ["immediate"], async ({ near, far }, { duplex }) => {
  assertEquals(await near.write("ping"), true);
  assertEquals(text(await far.readBytes(4)), "ping");
  if (!duplex) return;
  assertEquals(await far.write("pong"), true);
  assertEquals(text(await near.readBytes(4)), "pong");
});

law("bytes arrive in order, however they are written and read", [], async ({ near, far }, kind) => {
  const writing = await feed(kind, async () => {
    for (let i = 0; i < 1_000; i++) await near.write(`line ${i}\r\n`);
    await near.write("the end\n");
    await near.shutdown();
  });
  assertEquals(text(await far.readUntil("\r\n")), "line 0\r\n");
  assertEquals(text(await far.readBytes(6)), "line 1");
  assertEquals(text(await far.readUntilRegex(/\d+\r/)), "\r\nline 2\r");
  assertEquals(text(await far.readUntil("\n")), "\n");
  const lines = far.lines();
  for (let i = 3; i < 1_000; i++) assertEquals((await lines.next()).value, `line ${i}`);
  assertEquals((await lines.next()).value, "the end");
  if (kind.ends) assertEquals(await far.read(), null);
  await writing.join();
  assertEquals([near.bytesWritten, far.bytesRead], [9_898, 9_898]);
});

law("a volume of bytes arrives as it was sent", [], async ({ near, far }, kind) => {
  const [sent, received] = [createHash("sha256"), createHash("sha256")];
  const piece = crypto.getRandomValues(new Uint8Array(65_000));
  const total = kind.volume;
  const writing = await feed(kind, async () => {
    for (let left = total, i = 0; left > 0; i++) {
      const data = piece.subarray(0, Math.min(left, 1 + (i * 7_919) % piece.length));
      data[0] = i;
      sent.update(data);
      await near.write(data);
      left -= data.length;
    }
    await near.flush();
  });
  for (let count = 0; count < total;) {
    const chunk = (await far.read())!;
    received.update(chunk);
    count += chunk.length;
    assert(count <= total);
  }
  await writing.join();
  assertEquals(received.digest("hex"), sent.digest("hex"));
});

law("a peer that does not read makes the writer wait, with little buffered", ["stalls"], async (
  { near, far },
) => {
  const piece = new Uint8Array(50_000).fill(7);
  let written = 0;
  let most = 0;
  const writer = spawn(async () => {
    while (written < 200_000_000) {
      await near.write(piece);
      written += piece.length;
      most = Math.max(most, near.buffered);
    }
  });
  while (writer.state !== "waiting" || near.buffered === 0) await sleep(1);
  await sleep(20); // It would go on, if it did.
  most = Math.max(most, near.buffered);
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

law(
  "a reader that does not read takes nothing from the system",
  ["waits"],
  async ({ near, far }) => {
    await send(near, "ab");
    assertEquals(text(await far.readBytes(1)), "a");
    for (let i = 0; i < 5; i++) await send(near, "x".repeat(100));
    await sleep(5);
    assertEquals(far.bytesRead, 2);
    assertEquals((await far.readBytes(501))?.length, 501);
  },
);

for (const [how, read] of Object.entries(readsOfALine)) {
  law(`${how} finds what it wants wherever it is cut`, ["waits"], async ({ near, far }) => {
    const line = "aabbab\r\n";
    for (let cut = 1; cut < line.length; cut++) {
      const reading = read(far);
      await send(near, line.slice(0, cut));
      while (far.bytesRead % line.length !== cut) await sleep(0.1);
      await send(near, line.slice(cut));
      assertEquals(await reading, line);
    }
    const reading = read(far);
    for (const byte of line) {
      await send(near, byte);
      await sleep(0);
    }
    assertEquals(await reading, line);
  });

  law(`${how} finds what it wants across the chunks that are read`, [], async (
    { near, far },
    kind,
  ) => {
    const sizes = [1, 2, 3].flatMap((cut) => [4_096, 16_384, 65_536].map((size) => size - cut));
    const writing = await feed(kind, async () => {
      for (const size of sizes) await send(near, "\n".repeat(size) + "aabbab\r\n");
    });
    for (const size of sizes) {
      assertEquals((await far.readBytes(size))?.length, size);
      assertEquals(await read(far), "aabbab\r\n");
    }
    await writing.join();
  });
}

law(
  "a delimiter that is cut by the border of a chunk is found",
  [],
  async ({ near, far }, kind) => {
    const padding = [16_380, 16_381, 16_382, 16_383, 16_384, 65_533, 65_534, 262_143];
    for (const size of padding) {
      const writing = await feed(kind, () => send(near, "-".repeat(size) + "\r\n\r\n"));
      assertEquals((await far.readUntil("\r\n\r\n"))?.length, size + 4);
      await writing.join();
    }
    for (const size of padding) {
      const writing = await feed(kind, () => send(near, "-".repeat(size) + "1\r\n2"));
      assertEquals((await far.readUntilRegex(/\d\r\n\d/))?.length, size + 4);
      await writing.join();
    }
  },
);

law("a limit that is reached leaves the stream usable", [], async ({ near, far }, kind) => {
  const writing = await feed(kind, () => send(near, "0123456789\n012345678\nshort\nrest!"));
  far.maxBufferSize = 10;
  for (let i = 0; i < 2; i++) {
    const error = await assertRejects(() => far.readUntil("\n"), BufferLimitError);
    assertEquals([error.code, error.limit], ["EBUFFERLIMIT", 10]);
  }
  await assertRejects(() => far.readUntilRegex(/\n/), BufferLimitError);
  await assertRejects(() => far.lines({ maxLength: 9 }).next(), BufferLimitError);
  assertEquals((await far.lines({ maxLength: 10 }).next()).value, "0123456789");
  assertEquals(text(await far.readUntil("\n")), "012345678\n");
  assertEquals(text(await far.readUntilRegex(/\n/)), "short\n");
  assertEquals(text(await far.readBytes(5)), "rest!");
  await writing.join();
});

law("an end before the delimiter gives what was left, then the end", ["ends"], async (
  { near, far },
  kind,
) => {
  const writing = await feed(kind, async () => {
    await near.write("no newline");
    await near.shutdown();
  });
  const error = await assertRejects(() => far.readUntil("\n"), IncompleteReadError);
  assertEquals(text(error.partial), "no newline");
  await writing.join();
  for (
    const read of [
      far.read(),
      far.read(5),
      far.readBytes(5),
      far.readUntil("\n"),
      far.readUntilRegex(/\n/),
    ]
  ) assertEquals(await read, null);
  assertEquals(await Array.fromAsync(far.lines()), []);
  assertEquals(await far.readBytes(0), new Uint8Array(0));
});

law("readers and writers are served in the order in which they came", ["waits"], async (
  { near, far },
) => {
  const log: string[] = [];
  await TaskGroup.run(async (group) => {
    for (const name of "abc") {
      group.spawn(async () => log.push(name + text(await far.readBytes(2))));
    }
    await sleep(0);
    for (const data of ["12", "34", "56"]) group.spawn(() => near.write(data));
  });
  assertEquals(log, ["a12", "b34", "c56"]);
});

for (const [how, giveUp] of Object.entries(giveUps)) {
  law(`a read that ${how} loses nothing`, ["waits"], async ({ near, far }) => {
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
      await send(near, "ab");
      assertEquals(text(await far.readBytes(2)), "ab");
      await near.write("x");
      const rest = spawn(() => far.readBytes(3));
      await sleep(1);
      rest.kill();
      await near.write("y\n");
      assertEquals(text(await far.readBytes(3)), "xy\n");
    }
  });

  law(`a write or a flush that ${how} loses nothing`, ["stalls"], async ({ near, far }) => {
    let written = await fill(near);
    const more = new Uint8Array(100_000).fill(7);
    written += more.length + 1;
    await giveUp((options) => near.write(more, options));
    await giveUp((options) => near.flush(options));
    await giveUp((options) => near.shutdown(options));
    const last = spawn(() => near.write("!"));
    for (let count = 0, end = ""; end !== "!";) {
      const chunk = (await far.read())!;
      count += chunk.length;
      end = text(chunk.subarray(-1))!;
      assertEquals(end === "!", count === written);
      assert(chunk.subarray(0, -1).every((byte) => byte === 7));
    }
    await last.join();
  });
}

law("a reader that is killed in the step in which its bytes arrive has them", ["waits"], async (
  { near, far },
) => {
  const log: (string | null)[] = [];
  const reader = spawn(async () => {
    log.push(text(await far.readBytes(1)));
    await sleep(0);
    log.push("went on");
  });
  await sleep(0);
  // It is told in that very step, before the reader is resumed.
  const watch = far[watching]("read", () => reader.kill());
  watch.arm();
  await send(near, "ab");
  assert(await reader.join({ timeout: 10_000 }));
  assertEquals(log, ["a"]);
  assertEquals(text(await far.readBytes(1)), "b");
  watch.close();
});

law("a call whose signal is aborted, or that may not wait, takes nothing", ["waits"], async (
  { near, far },
) => {
  await send(near, "abc");
  assertEquals(text(await far.readBytes(1)), "a");
  const signal = AbortSignal.abort(new Error("enough"));
  await assertRejects(() => far.read(undefined, { signal }), Error, "enough");
  await assertRejects(() => near.write("no", { signal }), Error, "enough");
  await assertRejects(() => far.readBytes(3, { timeout: 0 }), TimeoutError);
  assertEquals(text(await far.read(undefined, { timeout: 0 })), "bc");
  await assertRejects(() => far.read(undefined, { timeout: 0 }), TimeoutError);
});

law(
  "after shutdown() the other side reads to the end, and can still write",
  ["duplex", "ends"],
  async (
    { near, far },
  ) => {
    await near.write("question");
    await near.shutdown();
    await near.shutdown();
    assertEquals(await Array.fromAsync(far.lines()), ["question"]);
    await far.write("answer");
    assertEquals(text(await near.readBytes(6)), "answer");
    const error = await assertRejects(() => near.write("more"), StreamError);
    assertEquals(error.code, "EPIPE");
    await far.shutdown();
    assertEquals(await near.read(), null);
  },
);

law("when one side closes, the other reads what was sent, then the end", ["ends"], async (
  { near, far },
) => {
  await send(near, "bye");
  near.close();
  assertEquals(text(await far.readBytes(100)), "bye");
  assertEquals(await far.read(), null);
});

law("a write to a side that has closed is an error that says why", ["breaks"], async (
  { near, far },
  { error: expected },
) => {
  await send(near, "first");
  await far.readBytes(5);
  far.close();
  const error = await assertRejects(async () => {
    for (let i = 0; i < 1_000; i++) {
      await send(near, "x");
      await sleep(1);
    }
  }, expected);
  assert(["EPIPE", "ECONNRESET"].includes(error.code), `${error.code}: ${error.message}`);
  assert(error.errno > 0);
  assert(error.cause !== undefined);
  // It stays so.
  await assertRejects(() => near.flush(), expected);
  await assertRejects(() => near.write("y"), expected);
  await assertRejects(() => near.shutdown(), expected);
});

law("close() ends whoever waits to read", ["waits", "duplex"], async ({ near }, { error }) => {
  await closesWaiting(near, error);
});

law("close() ends whoever waits to read on the other side", ["waits"], async ({ far }) => {
  await closesWaiting(far, StreamError);
});

async function closesWaiting(stream: BaseStream, error: Kind["error"]): Promise<void> {
  const calls = [
    stream.read(),
    stream.readBytes(2),
    stream.readUntil("\n"),
    stream.readUntilRegex(/\n/),
    stream.lines().next(),
  ].map((call) => assertRejects(() => call, error));
  stream.close();
  stream.close();
  for (const call of calls) assertEquals((await call).code, "ECLOSED");
}

law("close() ends whoever waits to write, flush or shut down", ["stalls"], async (
  { near },
  { error },
) => {
  await fill(near);
  const calls = [near.write(new Uint8Array(100_000)), near.flush(), near.shutdown()]
    .map((call) => assertRejects(() => call, error));
  await sleep(1);
  near.close();
  for (const call of calls) assertEquals((await call).code, "ECLOSED");
  assertEquals(near.buffered, 0);
});

law("after close() every call throws ECLOSED, and closing again does nothing", [], async (
  { near, far },
  { error },
) => {
  for (const [stream, expected] of [[near, error], [far, StreamError]] as const) {
    stream.close();
    stream.close();
    for (
      const call of [
        () => stream.read(),
        () => stream.readBytes(2),
        () => stream.readUntil("\n"),
        () => stream.readUntilRegex(/\n/),
        () => stream.lines().next(),
        () => stream.write("x"),
        () => stream.flush(),
        () => stream.shutdown(),
      ]
    ) assertEquals((await assertRejects(call, expected)).code, "ECLOSED");
    assert(stream.closed);
    await stream[Symbol.asyncDispose]();
  }
});

law(
  "disposing of a stream sends what is buffered before",
  ["ends"],
  async ({ near, far }, kind) => {
    const writing = await feed(kind, async () => {
      await near.write("x".repeat(300_000), { timeout: 0 }).catch((error) => {
        if (!(error instanceof TimeoutError)) throw error;
      });
      await near[Symbol.asyncDispose]();
    });
    let count = 0;
    for await (const chunk of far) count += chunk.length;
    assertEquals(count, 300_000);
    await writing.join();
  },
);

law("the platform's streams work on it", ["ends"], async ({ near, far }, kind) => {
  const data = "grüße ".repeat(10_000);
  const writing = await feed(kind, async () => {
    await new Blob([data]).stream().pipeTo(near.writable);
  });
  let received = "";
  for await (const part of far.readable.pipeThrough(new TextDecoderStream() as TransformStream)) {
    received += part;
  }
  assertEquals(received, data);
  await writing.join();
});

law("the platform's streams work both ways", ["duplex", "ends"], async ({ near, far }) => {
  const tasks: Task[] = [];
  tasks.push(spawn(() => far.readable.pipeTo(far.writable)));
  tasks.push(spawn(async () => {
    await near.write("grüße ".repeat(10_000));
    await near.shutdown();
  }));
  let answer = "";
  for await (const part of near.readable.pipeThrough(new TextDecoderStream() as TransformStream)) {
    answer += part;
  }
  assertEquals(answer, "grüße ".repeat(10_000));
  for (const task of tasks) await task.join();
});
