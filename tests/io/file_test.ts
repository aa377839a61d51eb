import { assert, assertEquals, assertRejects } from "@std/assert";
import { createHash } from "node:crypto";
import { pathToFileURL as toFileUrl } from "node:url";
import { cooperate, FileError, type FileStream, openFile, sleep, spawn } from "../../mod.ts";
import { text } from "./_scripted.ts";

async function withFile(
  content: string,
  body: (file: FileStream, path: string) => Promise<void>,
  options: Deno.OpenOptions = { read: true, write: true },
): Promise<void> {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, content);
    const file = await openFile(path, options);
    await body(file, path);
    file.close();
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("a file is read by the same methods as any stream", async () => {
  await withFile("one\ntwo\nthree 3 four", async (file) => {
    assertEquals(text(await file.readUntil("\n")), "one\n");
    assertEquals(text(await file.read(2)), "tw");
    assertEquals(text(await file.readBytes(2)), "o\n");
    assertEquals(text(await file.readUntilRegex(/\d/)), "three 3");
    assertEquals(await Array.fromAsync(file.lines()), [" four"]);
    assertEquals(await file.read(), null);
  });
});

Deno.test("seek() counts from the reader's place, whatever was read ahead", async () => {
  await withFile("0123456789", async (file) => {
    assertEquals(text(await file.readBytes(3)), "012");
    assertEquals(await file.seek(0, Deno.SeekMode.Current), 3);
    assertEquals(await file.seek(2, Deno.SeekMode.Current), 5);
    assertEquals(text(await file.readBytes(2)), "56");
    assertEquals(await file.seek(-1, Deno.SeekMode.End), 9);
    assertEquals(text(await file.read()), "9");
    assertEquals(await file.read(), null);
    assertEquals(await file.seek(1), 1);
    assertEquals(text(await file.read()), "123456789");
    await assertRejects(() => file.seek(-5), FileError);
  });
});

Deno.test("a write goes where the last read has ended", async () => {
  await withFile("aaaa\nbbbb\n", async (file, path) => {
    await file.readUntil("\n");
    await file.write("X");
    await file.flush();
    assertEquals(text(await file.readUntil("\n")), "bbb\n");
    await file.sync();
    assertEquals(await Deno.readTextFile(path), "aaaa\nXbbb\n");
  });
});

Deno.test("what is appended to a file after its end was read can be read", async () => {
  await withFile("a", async (file, path) => {
    assertEquals(text(await file.read()), "a");
    assertEquals(await file.read(), null);
    await Deno.writeTextFile(path, "b", { append: true });
    await file.seek(0, Deno.SeekMode.Current);
    assertEquals(text(await file.read()), "b");
  });
});

Deno.test("truncate(), stat() and sync() see what was written before", async () => {
  await withFile("", async (file, path) => {
    await file.write("0123456789");
    assertEquals((await file.stat()).size, 10);
    await file.truncate(4);
    await file.sync();
    assertEquals(await Deno.readTextFile(path), "0123");
    assertEquals(file.path, path);
  });
});

Deno.test("10 MB go through a file as they were", async () => {
  await withFile("", async (file) => {
    const piece = crypto.getRandomValues(new Uint8Array(50_000));
    const written = createHash("sha256");
    for (let i = 0; i < 200; i++) {
      await file.write(piece);
      written.update(piece);
    }
    await file.seek(0);
    const read = createHash("sha256");
    for await (const chunk of file) read.update(chunk);
    assertEquals(read.digest("hex"), written.digest("hex"));
  });
});

Deno.test("a file that is not there, or may not be written, is a FileError that says so", async () => {
  const error = await assertRejects(
    () => openFile("/nowhere/at/all"),
    FileError,
    "Cannot open /nowhere/at/all: No such file or directory",
  );
  assertEquals([error.code, error.errno, error.address], ["ENOENT", 2, "/nowhere/at/all"]);
  assertEquals(
    (await assertRejects(() => openFile("/tmp", { write: true }), FileError)).code,
    "EISDIR",
  );
  await withFile("a", async (file) => {
    const error = await assertRejects(async () => {
      await file.write("x");
      await file.flush();
    }, FileError);
    assertEquals(error.code, "EBADF");
  }, { read: true });
});

Deno.test("after close() every call throws ECLOSED", async () => {
  await withFile("abc", async (file) => {
    file.close();
    for (
      const call of [
        () => file.read(),
        () => file.write("x"),
        () => file.seek(0),
        () => file.truncate(),
        () => file.stat(),
        () => file.sync(),
      ]
    ) assertEquals((await assertRejects(call, FileError)).code, "ECLOSED");
    assert(file.closed);
  });
});

Deno.test("openFile() with a signal that is aborted opens nothing", async () => {
  const signal = AbortSignal.abort(new Error("no"));
  await assertRejects(() => openFile("/etc/hostname", { signal }), Error, "no");
});

Deno.test({
  name: "openFile() that is given up at whatever moment leaves no file open",
  ignore: Deno.build.os !== "linux", // Only there a program sees what it has open.
  async fn() {
    const path = await Deno.makeTempFile();
    const open = () =>
      [...Deno.readDirSync("/proc/self/fd")].filter(({ name }) => {
        try {
          return Deno.readLinkSync(`/proc/self/fd/${name}`) === path;
        } catch {
          return false; // It was the folder's own.
        }
      }).length;
    for (let round = 0; round < 100; round++) {
      const opening = spawn(async () => (await openFile(path)).close());
      await sleep(0);
      // The moment in which it is opened lies somewhere in these.
      for (let turns = round; turns > 0; turns--) {
        await cooperate(new Promise<void>((resolve) => setImmediate(resolve)));
      }
      opening.kill();
      await opening.join();
    }
    while (open() > 0) await sleep(1);
    await Deno.remove(path);
  },
});

Deno.test("arguments that make no sense are refused", async () => {
  await withFile("abc", async (file, path) => {
    await assertRejects(() => file.seek(NaN), RangeError);
    await assertRejects(() => file.seek(1.5), RangeError);
    await assertRejects(() => file.seek("1" as never), TypeError);
    await assertRejects(() => file.truncate(-1), RangeError);
    assertEquals(await file.seek(2n), 2);
    const error = await assertRejects(() => file.seek(-5, Deno.SeekMode.Current), FileError);
    assertEquals([error.code, error.errno, error.address], ["EINVAL", 22, path]);
    assertEquals(text(await file.read()), "c");
    await assertRejects(() => openFile(path, { truncate: true }), FileError, path);
  });
});

Deno.test("a file may be named by a URL", async () => {
  const path = await Deno.makeTempFile();
  const file = await openFile(toFileUrl(path));
  assertEquals(file.path, path);
  file.close();
  await Deno.remove(path);
});
