import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { PipeClient, type PipeConnection, PipeError, PipeServer, sleep, spawn } from "../../mod.ts";
import { temporaryPath } from "./_kinds.ts";
import { text } from "./_scripted.ts";

class Shouter extends PipeServer {
  override async handleConnection(connection: PipeConnection): Promise<void> {
    for await (const line of connection.lines()) await connection.write(line.toUpperCase() + "\n");
  }

  static start(path: string): Shouter {
    const server = new Shouter();
    server.bind(path);
    spawn(() => server.serve());
    return server;
  }
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

const ignore = Deno.build.os === "windows";

Deno.test({
  name: "a pipe server serves clients at a path, which goes when it closes",
  ignore,
  async fn() {
    const path = temporaryPath();
    const server = Shouter.start(path);
    assertEquals([server.pipename, server.address.path], [path, path]);
    const client = new PipeClient();
    await client.connect(path);
    await client.write("hello\n");
    assertEquals(text(await client.readUntil("\n")), "HELLO\n");
    assertEquals(server.connections[0].pipename, path);
    client.close();
    server.close();
    assertEquals(await exists(path), false);
  },
});

Deno.test({
  name: "a path can be bound again at once, and stays",
  ignore,
  async fn() {
    const path = temporaryPath();
    for (let round = 0; round < 3; round++) {
      const server = Shouter.start(path);
      await sleep(round); // An accept is under way, or not.
      for (let client = 0; client < 3; client++) {
        const client = new PipeClient();
        await client.connect(path);
        await client.write("hello\n");
        assertEquals(text(await client.readUntil("\n")), "HELLO\n");
        client.close();
        await sleep(1);
      }
      server.close();
    }
    await sleep(1);
    assertEquals(await exists(path), false);
  },
});

Deno.test({
  name: "connecting to a path where nobody is says so",
  ignore,
  async fn() {
    const path = temporaryPath();
    const client = new PipeClient();
    const error = await assertRejects(() => client.connect(path), PipeError, path);
    assertEquals([error.code, error.errno, error.address], ["ENOENT", 2, path]);
    await Deno.writeTextFile(path, "a file");
    assertEquals((await assertRejects(() => client.connect(path), PipeError)).code, "ECONNREFUSED");
    await Deno.remove(path);
    await assertRejects(() => client.connect(""), RangeError);
    await assertRejects(() => client.connect(5 as never), TypeError);
  },
});

Deno.test({
  name: "a path that is in use, or a file, is not taken over",
  ignore,
  async fn() {
    const path = temporaryPath();
    using server = Shouter.start(path);
    using other = new Shouter();
    assertEquals(assertThrows(() => other.bind(path), PipeError).code, "EADDRINUSE");
    const client = new PipeClient();
    await client.connect(server.pipename);
    client.close();
    const file = temporaryPath();
    await Deno.writeTextFile(file, "a file");
    assertEquals(assertThrows(() => other.bind(file), PipeError).code, "EADDRINUSE");
    assertEquals(await Deno.readTextFile(file), "a file");
    await Deno.remove(file);
    assertEquals(
      assertThrows(() => other.bind(`${file}/deeper`), PipeError).code,
      "ENOENT",
    );
  },
});

Deno.test({
  name: "a path that a killed program has left behind is taken over",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const path = temporaryPath();
    const program = `Deno.listen({ transport: "unix", path: ${JSON.stringify(path)} });
      console.log("bound"); setInterval(() => {}, 1000);`;
    const process = new Deno.Command(Deno.execPath(), {
      args: ["eval", program],
      stdout: "piped",
    }).spawn();
    const reader = process.stdout.getReader();
    await reader.read();
    reader.releaseLock();
    using refused = new Shouter();
    assertThrows(() => refused.bind(path), PipeError);
    process.kill("SIGKILL");
    await process.output();
    assert(await exists(path));
    using server = Shouter.start(path);
    const client = new PipeClient();
    await client.connect(server.pipename);
    await client.write("alive\n");
    assertEquals(text(await client.readUntil("\n")), "ALIVE\n");
    client.close();
    await sleep(0);
  },
});

Deno.test({
  name: "a server that closes leaves what somebody else has put at its path meanwhile",
  ignore,
  async fn() {
    const path = temporaryPath();
    for (const pause of [0, 5]) {
      const first = Shouter.start(path);
      await sleep(pause); // An accept is under way, or not.
      await Deno.remove(path);
      const second = Shouter.start(path);
      await sleep(pause);
      first.close();
      for (let round = 0; round < 3; round++) {
        const client = new PipeClient();
        await client.connect(path);
        await client.write("hello\n");
        assertEquals(text(await client.readUntil("\n")), "HELLO\n");
        client.close();
        await sleep(5);
      }
      second.close();
      await sleep(5);
      assertEquals(await exists(path), false);
    }
  },
});

Deno.test({
  name: "a relative path goes when its server closes, wherever the program has gone",
  ignore,
  async fn() {
    const before = Deno.cwd();
    const path = temporaryPath();
    const at = path.lastIndexOf("/");
    try {
      Deno.chdir(path.slice(0, at));
      const server = Shouter.start(path.slice(at + 1));
      await sleep(1);
      Deno.chdir("/");
      server.close();
      await sleep(1);
    } finally {
      Deno.chdir(before);
    }
    assertEquals(await exists(path), false);
  },
});
