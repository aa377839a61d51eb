import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { BaseStream, StreamError } from "../../mod.ts";
import { text } from "./_scripted.ts";

/** A stream that brings these chunks. */
function bringing(...chunks: unknown[]): BaseStream {
  return BaseStream.from(ReadableStream.from(chunks) as ReadableStream<Uint8Array>);
}

Deno.test("BaseStream.from() takes whatever the platform takes for bytes, and waits while there are none", async () => {
  const bytes = new TextEncoder().encode("abcdef");
  const stream = bringing(
    new Uint8Array(0),
    bytes.subarray(0, 2),
    bytes.slice(2, 4).buffer,
    new DataView(bytes.buffer, 4, 2),
  );
  assertEquals(text(await stream.readBytes(6)), "abcdef");
  assertEquals(await stream.read(), null);
});

Deno.test("BaseStream.from() says what it was given in place of bytes", async () => {
  const error = await assertRejects(
    () => bringing("text").read(),
    StreamError,
    'bytes are needed, and the readable side gave "text"',
  );
  assertEquals(error.code, "EINVAL");
});

Deno.test("what a stream of the platform's fails with is the cause, whatever it is", async () => {
  for (const reason of [new Error("the disk is on fire"), "a string", undefined, null]) {
    const readable = new ReadableStream({ pull: (controller) => controller.error(reason) });
    const read = await assertRejects(() => BaseStream.from(readable).read(), StreamError);
    assertEquals(read.cause, reason);
    const writable = new WritableStream({ write: () => Promise.reject(reason) });
    const stream = BaseStream.from(null, writable);
    await assertRejects(async () => {
      await stream.write("x");
      await stream.flush();
    }, StreamError);
  }
});

Deno.test("BaseStream.from() without one of its sides", async () => {
  const stream = BaseStream.from(null, null);
  assertEquals(await stream.read(), null);
  const error = await assertRejects(async () => {
    await stream.write("x");
    await stream.flush();
  }, StreamError);
  assertEquals(error.code, "ENOTSUP");
});

Deno.test("BaseStream.from() refuses a stream that somebody else reads", () => {
  const readable = new ReadableStream();
  readable.getReader();
  assertThrows(() => BaseStream.from(readable), TypeError);
});
