// Reads that take many little pieces out of large chunks, which are searched, copied and decoded block by block.
import { assertEquals, assertRejects } from "@std/assert";
import { BufferLimitError, IncompleteReadError, sleep, spawn, TimeoutError } from "../../mod.ts";
import { scripted, text } from "./_scripted.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Numbers below `n`, the same at every run. */
function drawer(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor(state / 2 ** 32 * n);
  };
}

/** Bytes such as streams bring: lines of all lengths, of ASCII, of other text, and of no text at all. */
function anyBytes(draw: (n: number) => number, size: number): Uint8Array {
  const bytes: number[] = [];
  while (bytes.length < size) {
    const length = draw(4) === 0 ? draw(3_000) : draw(120);
    const kind = draw(60);
    for (let i = 0; i < length; i++) {
      if (kind === 0) bytes.push(draw(256));
      else if (kind === 1) bytes.push(...encoder.encode("äß€😀\ufeff"[draw(5)]));
      else bytes.push(97 + draw(26));
    }
    if (draw(3) === 0) bytes.push(13);
    bytes.push(10);
  }
  return Uint8Array.from(bytes);
}

function indexOf(bytes: Uint8Array, wanted: Uint8Array, from: number): number {
  for (let at = from; at + wanted.length <= bytes.length; at++) {
    if (wanted.every((byte, i) => bytes[at + i] === byte)) return at;
  }
  return -1;
}

for (let seed = 1; seed <= 12; seed++) {
  Deno.test(`whatever is asked for, in whichever pieces it comes, is what was sent (seed ${seed})`, async () => {
    const draw = drawer(seed);
    const bytes = anyBytes(draw, 150_000);
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < bytes.length;) {
      const size = 1 + draw([10, 2_000, 20_000, 100_000][draw(4)]);
      pieces.push(bytes.slice(at, at += size));
    }
    const { stream } = scripted(...pieces, null);
    let at = 0;
    const check = (piece: Uint8Array | null, end: number) => {
      assertEquals(piece, end > at ? bytes.slice(at, end) : null);
      at = Math.max(at, end);
    };
    while (at < bytes.length) {
      switch (draw(6)) {
        case 0: {
          const n = 1 + draw(600);
          check(await stream.readBytes(n), Math.min(at + n, bytes.length));
          break;
        }
        case 1: {
          const piece = await stream.read(1 + draw(700));
          check(piece, at + piece!.length);
          break;
        }
        case 2: {
          const target = new Uint8Array(1 + draw(700));
          const n = (await stream.readInto(target))!;
          check(target.slice(0, n), at + n);
          break;
        }
        case 3: {
          const delimiter = encoder.encode(["\n", "\r\n", "ab", "aab"][draw(4)]);
          const found = indexOf(bytes, delimiter, at);
          if (found >= 0) check(await stream.readUntil(delimiter), found + delimiter.length);
          else {
            const error = await assertRejects(
              () => stream.readUntil(delimiter),
              IncompleteReadError,
            );
            check(error.partial, bytes.length);
          }
          break;
        }
        case 4: {
          const found = indexOf(bytes, encoder.encode("\n"), at);
          check(await stream.readUntilRegex(/\n/), found + 1);
          break;
        }
        case 5: {
          let left = 1 + draw(30);
          for await (const line of stream.lines()) {
            const found = indexOf(bytes, encoder.encode("\n"), at);
            const end = bytes[found - 1] === 13 && found > at ? found - 1 : found;
            assertEquals(line, decoder.decode(bytes.subarray(at, end)));
            at = found + 1;
            if (--left === 0) break;
          }
        }
      }
    }
    assertEquals(await stream.read(), null);
  });
}

Deno.test("pieces stay what they are, and the rest comes, though somebody transfers one's memory", async () => {
  const whole = Array.from({ length: 2_000 }, (_, i) => `line ${i}`);
  const { stream } = scripted(whole.join("\n") + "\n", null);
  const first = (await stream.readUntil("\n"))!;
  const second = text(await stream.readUntil("\n"));
  (first.buffer as ArrayBuffer).transfer();
  assertEquals(second, "line 1\n");
  assertEquals(text(await stream.readUntil("\n")), "line 2\n");
  assertEquals(await Array.fromAsync(stream.lines()), whole.slice(3));
});

Deno.test("pieces that were given out can be changed without the rest changing", async () => {
  const { stream } = scripted("abcdefghij".repeat(500), null);
  for (let i = 0; i < 500; i++) {
    const piece = (await stream.readBytes(10))!;
    assertEquals(text(piece), "abcdefghij");
    piece.fill(0);
  }
});

Deno.test("readInto() puts what is there into the memory it is given, and says how much", async () => {
  const { stream } = scripted("abcde", "fg", null);
  const target = new Uint8Array(4);
  assertEquals(await stream.readInto(target), 4);
  assertEquals(text(target), "abcd");
  assertEquals(await stream.readInto(target), 1);
  assertEquals(text(target), "ebcd");
  assertEquals(await stream.readInto(target.subarray(1)), 2);
  assertEquals(text(target), "efgd");
  assertEquals(await stream.readInto(target), null);
  await assertRejects(
    () => stream.readInto("x" as never),
    TypeError,
    'a Uint8Array is needed, not "x"',
  );
  await assertRejects(() => stream.readInto(new Uint8Array()), RangeError, "at least 1, not 0");
});

Deno.test("readInto() that is killed, at whichever step, puts nothing there later, and loses nothing", async () => {
  for (let steps = 0; steps < 12; steps++) {
    const { stream, script } = scripted();
    const target = new Uint8Array(2);
    let got = "";
    const victim = spawn(async () => {
      for (let i = 0; i < 3; i++) {
        const n = await stream.readInto(target);
        got += text(target.slice(0, n!));
        target.fill(0);
      }
    });
    for (let step = 0; step < 10; step++) {
      if (step === steps) victim.kill();
      if (step % 3 === 1) script.bring(["ab", "c", "def"][(step - 1) / 3]);
      await sleep(0);
    }
    await victim.join();
    script.bring(null);
    assertEquals(target, new Uint8Array(2));
    assertEquals(got + (text(await stream.readBytes(100)) ?? ""), "abcdef");
  }
});

Deno.test("what was searched in vain is found by who looks for something else", async () => {
  const whole = Array.from({ length: 5_000 }, (_, i) => `line ${i}`);
  const { stream, script } = scripted(whole.join("\n"));
  await assertRejects(() => stream.readUntil("#", { timeout: 1 }), TimeoutError);
  assertEquals(text(await stream.readUntil("\n")), "line 0\n");
  await assertRejects(() => stream.readUntil("#", { timeout: 1 }), TimeoutError);
  assertEquals(text(await stream.readUntilRegex(/\n/)), "line 1\n");
  await assertRejects(() => stream.readUntil("#", { timeout: 1 }), TimeoutError);
  script.bring(null);
  assertEquals(await Array.fromAsync(stream.lines()), whole.slice(2));
});

Deno.test("lines() can be left and taken up again, and asked again after an error", async () => {
  const { stream } = scripted("a\nb\nccccc\nd\n", null);
  const lines = stream.lines({ maxLength: 3 });
  for await (const line of lines) {
    assertEquals(line, "a");
    break;
  }
  assertEquals(await lines.next(), { value: undefined, done: true });
  const again = stream.lines({ maxLength: 3 });
  assertEquals(await again.next(), { value: "b", done: false });
  await assertRejects(() => again.next(), BufferLimitError);
  await assertRejects(() => again.next(), BufferLimitError);
  assertEquals(text(await stream.readUntil("\n")), "ccccc\n");
  assertEquals(await again.next(), { value: "d", done: false });
  assertEquals(await again.next(), { value: undefined, done: true });
});

Deno.test("lines() of several loops are served in the order in which they were asked for", async () => {
  const { stream, script } = scripted();
  const got: string[] = [];
  const reader = async (name: string) => {
    for await (const line of stream.lines()) got.push(`${name} ${line}`);
  };
  const readers = ["x", "y"].map((name) => spawn(reader, name));
  await sleep(0);
  script.bring("1\n2\n3\n", null);
  for (const task of readers) await task.join();
  assertEquals(got, ["x 1", "x 3", "y 2"]);
});
