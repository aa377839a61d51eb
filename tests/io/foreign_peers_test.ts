import { assert, assertEquals } from "@std/assert";
import { sleep, spawn, TcpClient, type TcpConnection, TcpServer } from "../../mod.ts";
import { text } from "./_scripted.ts";
import { settle } from "./_settle.ts";

Deno.test.afterEach(settle);

/** Whether a program can be started here. Where it cannot, its tests show as ignored. */
function has(program: string): boolean {
  try {
    return new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" })
      .outputSync().code !== 127;
  } catch {
    return false;
  }
}

class Shouter extends TcpServer {
  override async handleConnection(connection: TcpConnection): Promise<void> {
    for await (const line of connection.lines()) await connection.write(line.toUpperCase() + "\n");
  }
}

class Web extends TcpServer {
  override async handleConnection(connection: TcpConnection): Promise<void> {
    const head = text(await connection.readUntil("\r\n\r\n"))!;
    const length = Number(head.match(/content-length: (\d+)/i)?.[1] ?? 0);
    const body = text(await connection.readBytes(length))!;
    const answer = `${head.split(" ")[1]} ${body.length}`;
    await connection.write(`HTTP/1.1 200 OK\r\nContent-Length: ${answer.length}\r\n\r\n${answer}`);
  }
}

async function started<S extends TcpServer>(server: S): Promise<S> {
  server.bind({ hostname: "127.0.0.1", port: 0 });
  spawn(() => server.serve());
  await sleep(0); // A blocking call outside every task: it starts the loop.
  return server;
}

async function output(program: string, args: string[], input = ""): Promise<string> {
  const process = new Deno.Command(program, { args, stdin: "piped", stdout: "piped" }).spawn();
  const writer = process.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { stdout, code } = await process.output();
  assertEquals(code, 0);
  return new TextDecoder().decode(stdout);
}

Deno.test({
  name: "nc talks to a server of ours, with half-close",
  ignore: !has("nc"),
  async fn() {
    using server = await started(new Shouter());
    const answer = await output("nc", [
      "-N",
      "127.0.0.1",
      String(server.sockname.port),
    ], "one\ntwo");
    assertEquals(answer, "ONE\nTWO\n");
  },
});

Deno.test({
  name: "curl posts to a server of ours",
  ignore: !has("curl"),
  async fn() {
    using server = await started(new Web());
    const url = `http://127.0.0.1:${server.sockname.port}/upload`;
    const answer = await output(
      "curl",
      ["-sS", "--data-binary", "@-", url],
      "x".repeat(900_000),
    );
    assertEquals(answer, "/upload 900000");
  },
});

const PYTHON_ECHO = `
import socket, hashlib
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
connection, _ = server.accept()
digest = hashlib.sha256()
while data := connection.recv(65536):
    digest.update(data)
    connection.sendall(data)
connection.sendall(digest.hexdigest().encode())
connection.close()
`;

const PYTHON_RESET = `
import socket, struct
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
connection, _ = server.accept()
connection.sendall(b"before")
connection.recv(1)
connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
connection.close()
`;

const PYTHON_SILENT = `
import socket, time
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
connection, _ = server.accept()
connection.sendall(b"before")
time.sleep(60)
`;

/** Starts a server in Python, and connects to it. */
async function python(
  program: string,
): Promise<{ client: TcpClient; process: Deno.ChildProcess }> {
  const process = new Deno.Command("python3", { args: ["-c", program], stdout: "piped" }).spawn();
  const reader = process.stdout.getReader();
  let line = "";
  while (!line.endsWith("\n")) line += text((await reader.read()).value!);
  reader.releaseLock();
  const port = Number(line);
  const client = new TcpClient();
  await client.connect({ hostname: "127.0.0.1", port });
  return { client, process };
}

Deno.test({
  name: "a client of ours and Python's socket exchange 10 MB both ways at once",
  ignore: !has("python3"),
  async fn() {
    const { client, process } = await python(PYTHON_ECHO);
    const data = crypto.getRandomValues(new Uint8Array(50_000));
    const writer = spawn(async () => {
      for (let i = 0; i < 200; i++) await client.write(data);
      await client.shutdown();
    });
    for (let i = 0; i < 200; i++) assertEquals(await client.readBytes(data.length), data);
    assertEquals((await client.readBytes(64))?.length, 64);
    assertEquals(await client.read(), null);
    await writer.join();
    client.close();
    assert((await process.output()).success);
  },
});

Deno.test({
  name: "a Python peer that resets the connection",
  ignore: !has("python3"),
  async fn() {
    const { client, process } = await python(PYTHON_RESET);
    assertEquals(text(await client.readBytes(6)), "before");
    await client.write("x");
    const error = await client.readBytes(1).catch((error) => error);
    assertEquals(error.code, "ECONNRESET");
    client.close();
    await process.output();
  },
});

Deno.test({
  name: "a peer that is killed with SIGKILL",
  ignore: !has("python3"),
  async fn() {
    const { client, process } = await python(PYTHON_SILENT);
    assertEquals(text(await client.readBytes(6)), "before");
    const reading = client.read();
    process.kill("SIGKILL");
    assertEquals(await reading, null);
    client.close();
    await process.output();
  },
});
