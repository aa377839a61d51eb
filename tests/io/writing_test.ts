import { assertEquals, assertRejects } from "@std/assert";
import { sleep, spawn, StreamError, TimeoutError } from "../../mod.ts";
import { scripted } from "./_scripted.ts";

Deno.test("write() gives true when the system has the data", async () => {
  const { stream, script } = scripted();
  assertEquals(await stream.write("hällo"), true);
  assertEquals(await stream.write(new Uint8Array([33])), true);
  assertEquals(await stream.write(""), true);
  assertEquals(script.text, "hällo!");
  assertEquals(stream.buffered, 0);
});

Deno.test("write() goes on where the system took only a part", async () => {
  const { stream, script } = scripted();
  script.room = 3;
  assertEquals(await stream.write("0123456789"), true);
  assertEquals(script.text, "0123456789");
});

Deno.test("write() gives false when the data are buffered, and flush() waits for them", async () => {
  const { stream, script } = scripted();
  await stream.write("first ");
  script.room = 0;
  assertEquals(await stream.write("one "), false);
  assertEquals(await stream.write("two "), false);
  assertEquals(stream.buffered, 8);
  await assertRejects(() => stream.flush({ timeout: 0 }), TimeoutError);
  const flush = spawn(() => stream.flush());
  await sleep(0);
  assertEquals(flush.isAlive(), true);
  script.room = 5;
  script.take();
  await flush.join();
  assertEquals(script.text, "first one two ");
});

Deno.test("what a caller does with its memory afterwards does not change what is sent", async () => {
  const { stream, script } = scripted();
  await stream.write("-");
  script.room = 0;
  const data = new Uint8Array([97, 98]);
  await stream.write(data);
  await stream.write(data);
  data.fill(120);
  script.room = Infinity;
  script.take();
  await stream.flush();
  assertEquals(script.text, "-abab");
});

Deno.test("write() waits only while too much is buffered", async () => {
  const { stream, script } = scripted();
  await stream.write("-");
  script.room = 0;
  const piece = "x".repeat(10_000);
  for (let i = 0; i < 6; i++) assertEquals(await stream.write(piece), false);
  const writer = spawn(() => stream.write(piece));
  await sleep(0);
  assertEquals(writer.state, "waiting");
  script.room = Infinity;
  script.take();
  await writer.join();
  await stream.flush();
  assertEquals(script.text.length, 70_001);
});

Deno.test("a write that is killed or times out while it waits is sent all the same", async () => {
  const { stream, script } = scripted();
  await stream.write("-");
  script.room = 0;
  await stream.write("y".repeat(60_000));
  const writer = spawn(() => stream.write("a".repeat(10_000)));
  await sleep(0);
  writer.kill();
  await writer.join();
  await assertRejects(() => stream.write("b", { timeout: 1 }), TimeoutError);
  await assertRejects(() => stream.write("c", { timeout: 0 }), TimeoutError);
  script.room = 1_000;
  script.take();
  await stream.flush();
  assertEquals(script.text, "-" + "y".repeat(60_000) + "a".repeat(10_000) + "bc");
});

Deno.test("a write that fails throws, and so does every later one", async () => {
  const { stream, script } = scripted();
  await stream.write("-");
  script.room = 0;
  assertEquals(await stream.write("a"), false);
  const flush = assertRejects(() => stream.flush(), StreamError);
  script.fail(new Deno.errors.BrokenPipe("Broken pipe (os error 32)"));
  assertEquals((await flush).code, "EPIPE");
  const error = await assertRejects(() => stream.write("b"), StreamError);
  assertEquals([error.code, error.errno, error.address], ["EPIPE", 32, "a script"]);
  assertEquals(error.message, "Cannot write to a script: Broken pipe");
  script.bring("still");
  assertEquals((await stream.read())?.length, 5);
});

Deno.test("shutdown() flushes, then closes the write side only", async () => {
  const { stream, script } = scripted();
  await stream.write("-");
  script.room = 0;
  await stream.write("a");
  const shutdown = spawn(() => stream.shutdown());
  await sleep(0);
  assertEquals(script.writeSideClosed, false);
  script.take();
  await shutdown.join();
  assertEquals([script.writeSideClosed, script.text], [true, "-a"]);
  await stream.shutdown();
  assertEquals((await assertRejects(() => stream.write("b"), StreamError)).code, "EPIPE");
  script.bring("still");
  assertEquals((await stream.read())?.length, 5);
});

Deno.test("close() drops what is buffered, and who waits gets ECLOSED", async () => {
  const { stream, script } = scripted();
  await stream.write("-");
  script.room = 0;
  await stream.write("x".repeat(65_536));
  const calls = [stream.write("y"), stream.flush()].map((call) =>
    assertRejects(() => call, StreamError)
  );
  stream.close();
  for (const call of calls) assertEquals((await call).code, "ECLOSED");
  assertEquals([script.text, stream.buffered], ["-", 0]);
});

Deno.test("await using flushes, then closes", async () => {
  const { stream, script } = scripted();
  {
    await using used = stream;
    await used.write("-");
    script.room = 0;
    await used.write("bye");
    spawn(() => script.take());
  }
  assertEquals([script.text, script.closed], ["-bye", true]);
});

Deno.test("writable writes the stream as one of the platform's", async () => {
  const { stream, script } = scripted();
  const source = new Response("alpha").body!;
  await source.pipeTo(stream.writable);
  assertEquals([script.text, script.writeSideClosed], ["alpha", true]);
});

Deno.test("a kill that comes while it is not known whether the system takes a write ends that write, which is sent", async () => {
  const { stream, script } = scripted();
  script.room = 0;
  let went = false;
  const victim = spawn(async () => {
    queueMicrotask(() => victim.kill());
    await stream.write("abc");
    went = true;
  });
  await victim.join();
  assertEquals([went, stream.buffered], [false, 3]);
  script.take();
  await stream.flush();
  assertEquals(script.text, "abc");
});

Deno.test("close() while it is not known whether the system takes a write is that write's error", async () => {
  const { stream, script } = scripted();
  script.room = 0;
  queueMicrotask(() => stream.close());
  const error = await assertRejects(() => stream.write("abc"), StreamError);
  assertEquals(error.code, "ECLOSED");
});

Deno.test("nobody else runs until it is known whether the system takes a write", async () => {
  const { stream, script } = scripted();
  const seen: string[] = [];
  const writer = spawn(async () => {
    seen.push(`taken: ${await stream.write("abc")}`);
    script.room = 0;
    seen.push(`taken: ${await stream.write("def")}`);
    seen.push(`taken: ${await stream.write("ghi")}`);
  });
  const other = spawn(() => seen.push("the other one"));
  await writer.join();
  await other.join();
  assertEquals(seen, ["taken: true", "taken: false", "taken: false", "the other one"]);
  stream.close();
});
