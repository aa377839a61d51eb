import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  type BaseStream,
  PipeClient,
  type PipeConnection,
  PipeError,
  PipeServer,
  PipeStream,
  sleep,
  spawn,
  TcpClient,
  type TcpConnection,
  TcpError,
  TcpServer,
  TlsClient,
  TlsError,
  UdpEndpoint,
} from "../../mod.ts";
import { RawSystem } from "../raw_descriptors.ts";
import { temporaryPath, trust } from "./_kinds.ts";
import { text } from "./_scripted.ts";
import { settle } from "./_settle.ts";

Deno.test.afterEach(settle);

/** Whether a program can be started here. Where it cannot, its tests show as ignored. */
function has(program: string): boolean {
  try {
    return new Deno.Command(program, {
      args: ["-h"],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    })
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

class PipeShouter extends PipeServer {
  override async handleConnection(connection: PipeConnection): Promise<void> {
    for await (const line of connection.lines()) await connection.write(line.toUpperCase() + "\n");
  }
}

/** A program that serves, once it has said where. */
async function serving(
  program: string,
  args: string[],
  where: RegExp,
): Promise<{ place: string; end(): Promise<void> }> {
  const process = new Deno.Command(program, {
    args,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const reader = (program === "python3" ? process.stdout : process.stderr).getReader();
  let said = "";
  let found: RegExpMatchArray | null = null;
  while ((found = said.match(where)) === null) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`${program} ended: ${said}`);
    said += text(value);
  }
  reader.releaseLock();
  return {
    place: found[1],
    async end() {
      try {
        process.kill("SIGKILL");
      } catch {
        // It has ended already.
      }
      await process.output();
    },
  };
}

/** Sends a million bytes and takes them back from somebody who sends back what comes. */
async function exchange(stream: BaseStream): Promise<void> {
  const data = crypto.getRandomValues(new Uint8Array(50_000));
  const writer = spawn(async () => {
    for (let i = 0; i < 20; i++) await stream.write(data);
    await stream.shutdown();
  });
  for (let i = 0; i < 20; i++) assertEquals(await stream.readBytes(data.length), data);
  assertEquals(await stream.read(), null);
  await writer.join();
  stream.close();
}

Deno.test({
  name: "socat talks to servers of ours, over TCP and a Unix socket",
  ignore: !has("socat"),
  async fn() {
    using server = await started(new Shouter());
    using pipes = new PipeShouter();
    pipes.bind(temporaryPath());
    spawn(() => pipes.serve());
    await sleep(0);
    for (const to of [`TCP:127.0.0.1:${server.sockname.port}`, `UNIX-CONNECT:${pipes.pipename}`]) {
      assertEquals(await output("socat", ["-t5", "-", to], "one\ntwo"), "ONE\nTWO\n");
    }
  },
});

Deno.test({
  name: "clients of ours talk to socat, over TCP and a Unix socket",
  ignore: !has("socat"),
  async fn() {
    const listening = /listening on AF=\d+ (\S+)/;
    const tcp = await serving("socat", [
      ...["-d", "-d", "TCP-LISTEN:0,bind=127.0.0.1", "EXEC:cat"],
    ], listening);
    const client = new TcpClient();
    const [hostname, port] = tcp.place.split(":");
    await client.connect({ hostname, port: Number(port) });
    await exchange(client);
    await tcp.end();
    const path = temporaryPath();
    const unix = await serving("socat", ["-d", "-d", `UNIX-LISTEN:${path}`, "EXEC:cat"], listening);
    const pipe = new PipeClient();
    await pipe.connect(path);
    await exchange(pipe);
    await unix.end();
    await Deno.remove(path).catch(() => {});
  },
});

Deno.test({
  name: "socat answers datagrams of ours",
  ignore: !has("socat"),
  async fn() {
    using endpoint = new UdpEndpoint();
    endpoint.bind({ hostname: "127.0.0.1", port: 0 });
    const from = `UDP:127.0.0.1:${endpoint.sockname.port}`;
    const answering = spawn(async () => {
      const [data, address] = await endpoint.receive();
      await endpoint.send(text(data)!.toUpperCase(), address);
    });
    assertEquals(await output("socat", ["-t1", "-", from], "hello"), "HELLO");
    await answering.join();
  },
});

Deno.test({
  name: "nc talks to a Unix socket of ours, and to an endpoint",
  ignore: !has("nc"),
  async fn() {
    using pipes = new PipeShouter();
    pipes.bind(temporaryPath());
    spawn(() => pipes.serve());
    await sleep(0);
    assertEquals(await output("nc", ["-N", "-U", pipes.pipename], "one\n"), "ONE\n");
    using endpoint = new UdpEndpoint();
    endpoint.bind({ hostname: "127.0.0.1", port: 0 });
    const receiving = spawn(async () => assertEquals(text((await endpoint.receive())[0]), "hello"));
    await output("nc", ["-u", "-q0", "127.0.0.1", String(endpoint.sockname.port)], "hello");
    assert(await receiving.join({ timeout: 10_000 }));
  },
});

const ASYNCIO_SERVER = `
import asyncio, sys
async def echo(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.write_eof()
    await writer.drain()
    writer.close()
async def main():
    if len(sys.argv) > 1:
        server = await asyncio.start_unix_server(echo, sys.argv[1])
        print(sys.argv[1], flush=True)
    else:
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
`;

const ASYNCIO_CLIENT = `
import asyncio, sys
async def main():
    if sys.argv[1].isdigit():
        reader, writer = await asyncio.open_connection("127.0.0.1", int(sys.argv[1]))
    else:
        reader, writer = await asyncio.open_unix_connection(sys.argv[1])
    for i in range(1000):
        writer.write(b"line %d\\n" % i)
    await writer.drain()
    for i in range(1000):
        assert await reader.readuntil(b"\\n") == b"LINE %d\\n" % i
    writer.write_eof()
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()
    print("done")
asyncio.run(main())
`;

Deno.test({
  name: "clients of ours talk to asyncio's servers",
  ignore: !has("python3"),
  async fn() {
    const tcp = await serving("python3", ["-c", ASYNCIO_SERVER], /(\d+)\n/);
    const client = new TcpClient();
    await client.connect({ hostname: "127.0.0.1", port: Number(tcp.place) });
    await exchange(client);
    await tcp.end();
    const path = temporaryPath();
    const unix = await serving("python3", ["-c", ASYNCIO_SERVER, path], /(.+)\n/);
    const pipe = new PipeClient();
    await pipe.connect(path);
    await exchange(pipe);
    await unix.end();
    await Deno.remove(path).catch(() => {});
  },
});

Deno.test({
  name: "asyncio's clients talk to servers of ours",
  ignore: !has("python3"),
  async fn() {
    using server = await started(new Shouter());
    using pipes = new PipeShouter();
    pipes.bind(temporaryPath());
    spawn(() => pipes.serve());
    for (const to of [String(server.sockname.port), pipes.pipename]) {
      assertEquals(await output("python3", ["-c", ASYNCIO_CLIENT, to]), "done\n");
    }
  },
});

/** Says which of the addresses of a name somebody listens on, and connects to it from a file system of its own. */
async function connectByName(hosts: string, listensOn: string): Promise<string> {
  const library = new URL("../../mod.ts", import.meta.url).href;
  const program = `
    import { spawn, TcpClient, TcpServer } from "${library}";
    class Server extends TcpServer {
      async handleConnection(connection) { await connection.write("hello"); }
    }
    const server = new Server();
    server.bind({ hostname: "${listensOn}", port: 0 });
    spawn(() => server.serve());
    const client = new TcpClient();
    try {
      await client.connect({ hostname: "several.test", port: server.sockname.port }, { timeout: 5000 });
      console.log(new TextDecoder().decode(await client.readBytes(5)), client.peername.hostname);
    } catch (error) {
      console.log(error.code, error.name);
    }
    client.close();
    server.close();
  `;
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, hosts);
  const shell = 'mount --bind "$0" /etc/hosts && exec "$1" eval "$2"';
  const { stdout, stderr } = await new Deno.Command("unshare", {
    args: ["-Urm", "sh", "-c", shell, file, Deno.execPath(), program],
    env: { NO_COLOR: "1" },
  }).output();
  await Deno.remove(file);
  return text(stdout)! + text(stderr);
}

function hasNamespaces(): boolean {
  if (Deno.build.os !== "linux") return false;
  try {
    return new Deno.Command("unshare", { args: ["-Urm", "true"], stderr: "null" })
      .outputSync().success;
  } catch {
    return false;
  }
}

function hasIpv6(): boolean {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}

for (
  const [name, hosts, listensOn, ignore] of [
    [
      "the second accepts",
      "127.0.0.2 several.test\n127.0.0.3 several.test\n",
      "127.0.0.3",
      !hasNamespaces(),
    ],
    [
      "the first accepts",
      "127.0.0.2 several.test\n127.0.0.3 several.test\n",
      "127.0.0.2",
      !hasNamespaces(),
    ],
    [
      "IPv6 accepts, and IPv4 refuses",
      "127.0.0.2 several.test\n::1 several.test\n",
      "::1",
      !hasNamespaces() || !hasIpv6(),
    ],
    [
      "IPv4 accepts, and IPv6 refuses",
      "::1 several.test\n127.0.0.2 several.test\n",
      "127.0.0.2",
      !hasNamespaces() || !hasIpv6(),
    ],
  ] as const
) {
  Deno.test({
    name: `of a name with several addresses each is tried: ${name}`,
    ignore,
    fn: async () => assertEquals(await connectByName(hosts, listensOn), `hello ${listensOn}\n`),
  });
}

Deno.test({
  name: "a name all of whose addresses refuse is refused",
  ignore: !hasNamespaces(),
  async fn() {
    const hosts = "127.0.0.2 several.test\n127.0.0.3 several.test\n";
    assertEquals(await connectByName(hosts, "127.0.0.4"), "ECONNREFUSED TcpError\n");
  },
});

const PYTHON_HALF_OPEN = `
import socket, struct, sys, time
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
connection, _ = server.accept()
connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
connection.recv(100)
time.sleep(0.1)
connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
connection.close()
`;

Deno.test({
  name: "a Python peer that resets the connection in the middle of a write that waits",
  ignore: !has("python3"),
  async fn() {
    const { client, process } = await python(PYTHON_HALF_OPEN);
    const codes: string[] = [];
    const fails = async (call: () => Promise<unknown>) => {
      try {
        while (true) await call();
      } catch (error) {
        assert(error instanceof TcpError);
        codes.push(error.code);
      }
    };
    const tasks = [
      spawn(() => fails(() => client.write(new Uint8Array(1_000_000)))),
      spawn(() => fails(() => client.read())),
      spawn(() =>
        fails(async () => {
          await sleep(1);
          await client.flush();
        })
      ),
    ];
    for (const task of tasks) assert(await task.join({ timeout: 10_000 }));
    assert(codes.every((code) => ["ECONNRESET", "EPIPE"].includes(code)), String(codes));
    assertEquals(client.buffered, 0);
    client.close();
    await process.output();
  },
});

Deno.test({
  name: "a peer that is killed with SIGKILL while both sides write",
  ignore: !has("python3"),
  async fn() {
    const { client, process } = await python(PYTHON_ECHO);
    const outcome = spawn(async () => {
      try {
        while (true) await client.write(new Uint8Array(100_000));
      } catch (error) {
        assert(error instanceof TcpError);
        assert(["ECONNRESET", "EPIPE"].includes(error.code), error.code);
      }
    });
    await client.readBytes(1_000_000);
    process.kill("SIGKILL");
    // What had arrived is there, then the end, of whichever kind.
    try {
      while (await client.read() !== null);
    } catch (error) {
      assert(error instanceof TcpError);
      assertEquals(error.code, "ECONNRESET");
    }
    assert(await outcome.join({ timeout: 10_000 }));
    client.close();
    await process.output();
  },
});

const PYTHON_TLS = `
import socket, ssl, struct, sys
folder, how = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(folder + "localhost.pem", folder + "localhost.key")
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
plain, _ = server.accept()
connection = context.wrap_socket(plain, server_side=True)
connection.sendall(b"before")
connection.recv(1)
if how == "resets":
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
elif how == "ends properly":
    connection.unwrap()
else:
    connection.recv(1)
`;

for (const how of ["resets", "is killed", "ends properly"]) {
  Deno.test({
    name: `a Python peer with TLS that ${how}`,
    ignore: !has("python3"),
    async fn() {
      const folder = new URL("_certificates/", import.meta.url).pathname;
      const peer = await serving("python3", ["-c", PYTHON_TLS, folder, how], /(\d+)\n/);
      const client = new TlsClient();
      await client.connect({ hostname: "localhost", port: Number(peer.place), ...trust });
      assertEquals(text(await client.readBytes(6)), "before");
      const reading = client.read().catch((error) => error);
      await client.write("x");
      if (how === "is killed") await peer.end();
      const end = await reading;
      if (how === "ends properly") {
        assertEquals(end, null);
      } else {
        assert(end instanceof TlsError, String(end));
        assertEquals(end.code, "ECONNRESET");
      }
      client.close();
      if (how !== "is killed") await peer.end();
    },
  });
}

Deno.test({
  name: "a program that is killed with SIGKILL while it has the other end of a pipe",
  ignore: !has("bash"),
  async fn() {
    using system = new RawSystem();
    const [near, far] = system.socketPair();
    const child = new Deno.Command("bash", {
      args: ["-c", `echo before >&${far}; exec sleep 60`],
    }).spawn();
    system.close(far);
    const pipe = new PipeStream();
    pipe.open(system.release(near));
    assertEquals(text(await pipe.readUntil("\n")), "before\n");
    const reading = pipe.read();
    child.kill("SIGKILL");
    await child.status;
    assertEquals(await reading.catch((error) => error.code === "ECONNRESET" ? null : error), null);
    const error = await assertRejects(async () => {
      while (true) {
        await pipe.write("x");
        await pipe.flush();
      }
    }, PipeError);
    assert(["EPIPE", "ECONNRESET"].includes(error.code), error.code);
    pipe.close();
  },
});
