import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import {
  BufferLimitError,
  IncompleteReadError,
  sleep,
  spawn,
  StreamError,
  TimeoutError,
} from "../../mod.ts";
import { scripted, text } from "./_scripted.ts";

/** Every way to cut a text in three. */
function* cuts(whole: string): Generator<string[]> {
  for (let a = 0; a <= whole.length; a++) {
    for (let b = a; b <= whole.length; b++) {
      yield [whole.slice(0, a), whole.slice(a, b), whole.slice(b)].filter((part) => part !== "");
    }
  }
}

Deno.test("read() gives what is there, then null", async () => {
  const { stream } = scripted("ab", "c", null);
  assertEquals(text(await stream.read()), "ab");
  assertEquals(text(await stream.read()), "c");
  assertEquals(await stream.read(), null);
  assertEquals(await stream.read(), null);
});

Deno.test("read(max) gives no more than max, and the rest to the next call", async () => {
  const { stream } = scripted("abcde", null);
  assertEquals(text(await stream.read(2)), "ab");
  assertEquals(text(await stream.read(2)), "cd");
  assertEquals(text(await stream.read()), "e");
  assertEquals(await stream.read(2), null);
});

Deno.test("readBytes() gives exactly as many, wherever they are cut, and fewer at the end", async () => {
  for (const parts of cuts("abcdefg")) {
    const { stream } = scripted(...parts, null);
    assertEquals(text(await stream.readBytes(3)), "abc");
    assertEquals(text(await stream.readBytes(0)), "");
    assertEquals(text(await stream.readBytes(3)), "def");
    assertEquals(text(await stream.readBytes(3)), "g");
    assertEquals(await stream.readBytes(3), null);
  }
});

Deno.test("readUntil() finds a delimiter wherever it is cut", async () => {
  for (const parts of cuts("ab\r\n\r\r\ncd\r\n")) {
    const { stream } = scripted(...parts, null);
    assertEquals(text(await stream.readUntil("\r\n")), "ab\r\n");
    assertEquals(text(await stream.readUntil(new Uint8Array([13, 10]))), "\r\r\n");
    assertEquals(text(await stream.readUntil("\r\n")), "cd\r\n");
    assertEquals(await stream.readUntil("\r\n"), null);
  }
});

Deno.test("readUntil() finds a delimiter that nearly occurs before, wherever it is cut", async () => {
  for (const parts of cuts("aabaabaaab!aab")) {
    const { stream } = scripted(...parts, null);
    assertEquals(text(await stream.readUntil("aabaaa")), "aabaabaaa");
    assertEquals(text(await stream.readUntil("aab")), "b!aab");
  }
});

Deno.test("readUntilRegex() finds a match wherever it is cut, and sees each byte as one character", async () => {
  for (const parts of cuts("GET / \xe9;x;")) {
    const bytes = parts.map((part) => Uint8Array.from(part, (char) => char.charCodeAt(0)));
    const { stream } = scripted(...bytes, null);
    assertEquals((await stream.readUntilRegex(/\/ \xe9?;/g))?.length, 8);
    assertEquals(text(await stream.readUntilRegex(/;/y)), "x;");
    assertEquals(await stream.readUntilRegex(/;/), null);
  }
});

Deno.test("lines() gives lines without what ends them, wherever they are cut", async () => {
  for (const parts of cuts("a\r\n\nb\rc\nä")) {
    const { stream } = scripted(...parts, null);
    assertEquals(await Array.fromAsync(stream.lines()), ["a", "", "b\rc", "ä"]);
  }
});

Deno.test("lines() with maxLength takes lines of that length, and refuses longer ones", async () => {
  for (const end of ["\n", "\r\n"]) {
    for (const parts of cuts(`abc${end}abcd${end}`)) {
      const { stream } = scripted(...parts, null);
      const lines = stream.lines({ maxLength: 3 });
      assertEquals((await lines.next()).value, "abc");
      const error = await assertRejects(() => lines.next(), BufferLimitError);
      assertEquals(error.limit, 3);
      assertEquals(text(await stream.readUntil("\n")), `abcd${end}`);
    }
  }
  const { stream } = scripted("abcd", null);
  await assertRejects(() => stream.lines({ maxLength: 3 }).next(), BufferLimitError);
});

Deno.test("a delimiter that does not come is an IncompleteReadError with what was left, then the end", async () => {
  const { stream } = scripted("ab", "cd", null);
  const error = await assertRejects(() => stream.readUntil("\n"), IncompleteReadError);
  assertEquals(text(error.partial), "abcd");
  assertEquals(error.name, "IncompleteReadError");
  assertInstanceOf(error, StreamError);
  assertEquals(await stream.readUntil("\n"), null);
  const other = scripted("ab", null).stream;
  await assertRejects(() => other.readUntilRegex(/\d/), IncompleteReadError);
  assertEquals(await other.read(), null);
});

Deno.test("a delimiter beyond maxBufferSize is a BufferLimitError, and the stream goes on", async () => {
  for (const parts of cuts("0123456789\nx\n")) {
    const { stream } = scripted(...parts, null);
    stream.maxBufferSize = 10;
    await assertRejects(() => stream.readUntil("\n"), BufferLimitError);
    await assertRejects(() => stream.readUntilRegex(/\n/), BufferLimitError);
    stream.maxBufferSize = 11;
    assertEquals(text(await stream.readUntilRegex(/\n/)), "0123456789\n");
    assertEquals(text(await stream.readUntil("\n")), "x\n");
  }
});

Deno.test("a line of four million bytes that come one by one is read in linear time", async () => {
  const size = 4_000_000;
  let left = size;
  const { stream, script } = scripted();
  const x = new Uint8Array([120]);
  script.read = (into) => {
    into[0] = left-- === 0 ? 10 : x[0];
    return 1;
  };
  stream.maxBufferSize = size + 1;
  assertEquals((await stream.readUntil("\n"))?.length, size + 1);
});

Deno.test("a delimiter is not looked for again where it was looked for, though the search is given up", async () => {
  const size = 300_000;
  const { stream, script } = scripted("x".repeat(size));
  stream.maxBufferSize = 2 * size;
  await assertRejects(() => stream.readUntil("xy", { timeout: 0 }), TimeoutError);
  for (let i = 0; i < 20_000; i++) {
    await assertRejects(() => stream.readUntil("xy", { timeout: 0 }), TimeoutError);
  }
  script.bring("y");
  assertEquals((await stream.readUntil("xy"))?.length, size + 1);
});

Deno.test("no read of the platform is under way while nobody waits", async () => {
  const { stream, script } = scripted("ab");
  assertEquals(script.reads, 0);
  assertEquals(text(await stream.read(1)), "a");
  assertEquals(text(await stream.read()), "b");
  assertEquals(script.reads, 1);
  assertEquals(script.reading, false);
});

for (
  const [how, giveUp] of [
    ["is killed", async (stream) => {
      const reader = spawn(() => stream.readBytes(4));
      await sleep(0);
      reader.kill();
      await reader.join();
    }],
    ["times out", async (stream) => {
      await assertRejects(() => stream.readBytes(4, { timeout: 1 }), TimeoutError);
    }],
    ["does not want to wait", async (stream) => {
      await assertRejects(() => stream.readBytes(4, { timeout: 0 }), TimeoutError);
    }],
    ["is aborted", async (stream) => {
      const abort = new AbortController();
      spawn(() => abort.abort(new Error("enough")));
      await assertRejects(
        () => stream.readBytes(4, { signal: abort.signal }),
        Error,
        "enough",
      );
    }],
  ] as [string, (stream: ReturnType<typeof scripted>["stream"]) => Promise<void>][]
) {
  Deno.test(`a read that ${how} loses nothing, and does not keep the program alive`, async () => {
    const { stream, script } = scripted();
    await giveUp(stream);
    assertEquals(script.reading, true);
    assertEquals(script.referenced, false);
    script.bring("ab");
    await sleep(0);
    await giveUp(stream);
    script.bring("cd");
    await sleep(0);
    assertEquals(text(await stream.readBytes(4)), "abcd");
    assertEquals(script.reads, 2);
    const next = spawn(() => stream.read());
    await sleep(0);
    assertEquals(script.referenced, true);
    script.bring(null);
    await next.join();
  });
}

Deno.test("readers are served in the order in which they came", async () => {
  const { stream, script } = scripted();
  const log: (string | null)[] = [];
  const readers = [
    spawn(async () => log.push(text(await stream.readBytes(2)))),
    spawn(async () => log.push(text(await stream.readUntil("\n")))),
    spawn(async () => log.push(text(await stream.read()))),
  ];
  await sleep(0);
  script.bring("a", "bc", "\nde");
  for (const reader of readers) await reader.join();
  assertEquals(log, ["ab", "c\n", "de"]);
});

Deno.test("when a reader gives up, the one behind it gets what is there", async () => {
  const { stream, script } = scripted();
  const greedy = spawn(() => stream.readBytes(100));
  let got: string | null = null;
  const modest = spawn(async () => got = text(await stream.read()));
  await sleep(0);
  script.bring("abc");
  await sleep(0);
  assertEquals(got, null);
  greedy.kill();
  await modest.join();
  assertEquals(got, "abc");
});

Deno.test("a reader that was served and is killed in the same turn has its bytes", async () => {
  const { stream, script } = scripted();
  let got: string | null = null;
  const reader = spawn(async () => got = text(await stream.read()));
  await sleep(0);
  script.bring("abc");
  while (reader.state === "waiting" && got === null) {
    reader.kill();
    await sleep(0);
    if (got === null) break;
  }
  // Whichever came first: the bytes are with the reader, or still in the stream.
  if (got === null) assertEquals(text(await stream.read()), "abc");
  else assertEquals(got, "abc");
});

Deno.test("an error comes after what was read before it, and again at each call", async () => {
  const { stream } = scripted("ab", new Deno.errors.ConnectionReset("reset (os error 104)"));
  assertEquals(text(await stream.readBytes(1)), "a");
  const error = await assertRejects(() => stream.readBytes(2), StreamError);
  assertEquals([error.code, error.errno], ["ECONNRESET", 104]);
  assertInstanceOf(error.cause, Deno.errors.ConnectionReset);
  assertEquals(text(await stream.read()), "b");
  await assertRejects(() => stream.read(), StreamError, "Cannot read from a script: reset");
});

Deno.test("close() gives those who wait, and those who come, an error with the code ECLOSED", async () => {
  const { stream, script } = scripted();
  const reader = spawn(() => stream.read());
  const errors: unknown[] = [];
  const other = spawn(async () => {
    try {
      await stream.readUntil("\n");
    } catch (error) {
      errors.push(error);
    }
  });
  await sleep(0);
  reader.kill();
  stream.close();
  stream.close();
  await other.join();
  assert(script.closed && stream.closed);
  assertEquals((errors[0] as StreamError).code, "ECLOSED");
  for (
    const call of [
      () => stream.read(),
      () => stream.read(1),
      () => stream.readBytes(1),
      () => stream.readUntil("\n"),
      () => stream.readUntilRegex(/\n/),
      () => stream.lines().next(),
      () => stream.write("x"),
      () => stream.flush(),
      () => stream.shutdown(),
    ]
  ) {
    assertEquals((await assertRejects(call, StreamError)).code, "ECLOSED");
  }
});

Deno.test("arguments that make no sense are refused, as rejections", async () => {
  const { stream } = scripted("ab", null);
  const wrong = "2" as unknown as number;
  await assertRejects(() => stream.read(0), RangeError);
  await assertRejects(() => stream.read(NaN), RangeError);
  await assertRejects(() => stream.read(wrong), TypeError);
  await assertRejects(() => stream.readBytes(-1), RangeError);
  await assertRejects(() => stream.readBytes(1.5), RangeError);
  await assertRejects(() => stream.readUntil(""), RangeError);
  await assertRejects(() => stream.readUntil(5 as unknown as string), TypeError);
  await assertRejects(() => stream.readUntilRegex("x" as unknown as RegExp), TypeError);
  await assertRejects(() => stream.write(5 as unknown as string), TypeError);
  await assertRejects(() => stream.read(1, { timeout: -1 }), RangeError);
  assertEquals(text(await stream.read()), "ab");
});

Deno.test("a signal that is aborted already ends a call though data are there", async () => {
  const { stream } = scripted("ab");
  assertEquals(text(await stream.read(1)), "a");
  const signal = AbortSignal.abort(new Error("no"));
  await assertRejects(() => stream.read(1, { signal }), Error, "no");
  assertEquals(text(await stream.read(1)), "b");
});

Deno.test("chunks that were given out do not change when more is read", async () => {
  const { stream, script } = scripted();
  const chunks: Uint8Array[] = [];
  for (const piece of ["aa", "b".repeat(20_000), "cc", "dd\nee\n"]) {
    script.bring(piece);
    chunks.push((await stream.read(16_384))!);
  }
  assertEquals(chunks.map((chunk) => text(chunk)?.[0]), ["a", "b", "b", "c"]);
});

Deno.test("readable reads the stream as one of the platform's", async () => {
  const { stream } = scripted("al", "pha", null);
  assertEquals(await new Response(stream.readable).text(), "alpha");
});

Deno.test("the errors of what did not come say where it was to come from", async () => {
  const { stream } = scripted("no newline", null);
  stream.maxBufferSize = 5;
  const limit = await assertRejects(() => stream.readUntil("\n"), BufferLimitError);
  const line = await assertRejects(() => stream.lines({ maxLength: 5 }).next(), BufferLimitError);
  stream.maxBufferSize = 50;
  const end = await assertRejects(() => stream.readUntilRegex(/\n/), IncompleteReadError);
  assertEquals([limit, line, end].map(({ address }) => address), Array(3).fill("a script"));
});
