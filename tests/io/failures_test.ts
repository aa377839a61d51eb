// Every error of io says what went wrong, in a message for people, and in `code`, `errno`, `address` and `cause` for
// programs: one table of all the ways in which something fails.

import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { assert, assertEquals } from "@std/assert";
import {
  BufferLimitError,
  cooperate,
  errno,
  FileError,
  type FileStream,
  HttpServer,
  IncompleteReadError,
  openFile,
  PipeClient,
  type PipeConnection,
  PipeError,
  PipeServer,
  PipeStream,
  serveFiles,
  sleep,
  spawn,
  type StreamError,
  TcpClient,
  type TcpConnection,
  TcpError,
  TcpServer,
  TimeoutError,
  TlsClient,
  TlsError,
  TlsServer,
  TtyError,
  TtyStream,
  UdpEndpoint,
  UdpError,
} from "../../mod.ts";
import { identity, trust } from "./_kinds.ts";
import { settle } from "./_settle.ts";

Deno.test.afterEach(settle);

/** What a failure is tried with; all of it is closed afterwards. */
interface Stage {
  /** A server whose connections wait until their clients go. */
  readonly server: Waiting;
  /** A client of it. */
  readonly client: TcpClient;
  readonly folder: string;
  /** Closes it in the end. */
  use<T extends { close(): unknown }>(resource: T): T;
}

interface Failure {
  readonly what: string;
  // deno-lint-ignore no-explicit-any
  readonly error: new (...args: any[]) => StreamError | UdpError;
  readonly code: string;
  /** What it is about; none, if that is nothing that has an address. */
  readonly address: ((stage: Stage) => string | RegExp) | null;
  /** Whether the platform has said something. */
  readonly caused?: true;
  act(stage: Stage): unknown;
}

class Waiting extends TcpServer {
  override async handleConnection(connection: TcpConnection): Promise<void> {
    await connection.read().catch(() => {});
  }
}

class Pipes extends PipeServer {
  override async handleConnection(connection: PipeConnection): Promise<void> {
    await connection.read().catch(() => {});
  }
}

class Secure extends TlsServer {
  override handleConnection(): void {}
}

const HERE = "127.0.0.1";
const own = ({ server }: Stage) => `${HERE}:${server.sockname.port}`;
const anyPort = () => /^127\.0\.0\.1:\d+$/;

function closed<T extends { close(): unknown }>(resource: T): T {
  resource.close();
  return resource;
}

/** A connection that the other side has reset. */
async function reset(stage: Stage): Promise<TcpClient> {
  const gone = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => {
      socket.once("close", gone.resolve);
      socket.resetAndDestroy();
      server.close();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, HERE, resolve));
  const client = stage.use(new TcpClient());
  await client.connect({ hostname: HERE, port: (server.address() as AddressInfo).port });
  await client.write("x");
  await cooperate(gone.promise);
  return client;
}

async function freePort(): Promise<number> {
  const listener = Deno.listen({ hostname: HERE, port: 0 });
  listener.close();
  return await Promise.resolve(listener.addr.port);
}

/** A server that listens. */
function bound<S extends TcpServer>(stage: Stage, server: S): S {
  stage.use(server).bind({ hostname: HERE, port: 0 });
  return server;
}

const FAILURES: Failure[] = [
  {
    what: "TcpClient.connect() where nobody listens",
    error: TcpError,
    code: "ECONNREFUSED",
    address: anyPort,
    caused: true,
    act: async ({ use }) =>
      use(new TcpClient()).connect({ hostname: HERE, port: await freePort() }),
  },
  {
    what: "TcpClient.connect() to a name that nobody has",
    error: TcpError,
    code: "ENOTFOUND",
    address: () => "nobody.invalid:80",
    caused: true,
    act: ({ use }) => use(new TcpClient()).connect({ hostname: "nobody.invalid", port: 80 }),
  },
  {
    what: "TcpClient.connect() from an address that is none of this machine's",
    error: TcpError,
    code: "EADDRNOTAVAIL",
    address: own,
    caused: true,
    act: ({ use, server }) =>
      use(new TcpClient()).connect(server.sockname, { sourceAddress: { hostname: "192.0.2.1" } }),
  },
  {
    what: "TcpClient.connect() twice",
    error: TcpError,
    code: "EISCONN",
    address: own,
    act: ({ client, server }) => client.connect(server.sockname),
  },
  {
    what: "TcpClient.connect() twice at the same time",
    error: TcpError,
    code: "EALREADY",
    address: own,
    act: ({ use, server }) => {
      const client = use(new TcpClient());
      client.connect(server.sockname).catch(() => {});
      return client.connect(server.sockname);
    },
  },
  {
    what: "TcpClient.connect() that is closed meanwhile",
    error: TcpError,
    code: "ECLOSED",
    address: own,
    act: ({ server }) => {
      const client = new TcpClient();
      const connecting = client.connect(server.sockname);
      queueMicrotask(() => client.close());
      return connecting;
    },
  },
  {
    what: "TcpClient.connect() of one that is closed",
    error: TcpError,
    code: "ECLOSED",
    address: null,
    act: ({ server }) => closed(new TcpClient()).connect(server.sockname),
  },
  {
    what: "TcpClient.read() of one that is not connected",
    error: TcpError,
    code: "ENOTCONN",
    address: null,
    act: ({ use }) => use(new TcpClient()).read(),
  },
  {
    what: "TcpClient.sockname of one that is not connected",
    error: TcpError,
    code: "ENOTCONN",
    address: null,
    act: ({ use }) => use(new TcpClient()).sockname,
  },
  {
    what: "TcpClient.setNoDelay() of one that is closed",
    error: TcpError,
    code: "ECLOSED",
    address: own,
    act: ({ client }) => closed(client).setNoDelay(),
  },
  ...["read", "readBytes", "readUntil", "readUntilRegex", "write", "flush", "shutdown"].map(
    (method): Failure => ({
      what: `TcpClient.${method}() of one that is closed`,
      error: TcpError,
      code: "ECLOSED",
      address: own,
      act: ({ client }) => {
        const argument = { readBytes: 1, readUntil: "\n", readUntilRegex: /x/, write: "x" };
        // deno-lint-ignore no-explicit-any
        return (closed(client) as any)[method](argument[method as "write"]);
      },
    }),
  ),
  {
    what: "TcpClient.read() that is closed meanwhile",
    error: TcpError,
    code: "ECLOSED",
    address: own,
    act: ({ client }) => {
      const reading = client.read();
      queueMicrotask(() => client.close());
      return reading;
    },
  },
  {
    what: "TcpClient.read() of what the other side has reset",
    error: TcpError,
    code: "ECONNRESET",
    address: anyPort,
    caused: true,
    act: async (stage) => (await reset(stage)).read(),
  },
  {
    what: "TcpClient.write() to what the other side has reset",
    error: TcpError,
    code: "EPIPE",
    address: anyPort,
    caused: true,
    act: async (stage) => {
      const client = await reset(stage);
      await client.read().catch(() => {});
      for (let i = 0; i < 100; i++) {
        await client.write("x");
        await client.flush();
      }
    },
  },
  {
    what: "TcpClient.write() after shutdown()",
    error: TcpError,
    code: "EPIPE",
    address: own,
    act: async ({ client }) => {
      await client.shutdown();
      return await client.write("x");
    },
  },
  {
    what: "TcpServer.bind() to an address that is taken",
    error: TcpError,
    code: "EADDRINUSE",
    address: own,
    caused: true,
    act: ({ use, server }) => use(new Waiting()).bind(server.sockname),
  },
  {
    what: "TcpServer.bind() to an address that is none of this machine's",
    error: TcpError,
    code: "EADDRNOTAVAIL",
    address: () => "192.0.2.1:0",
    caused: true,
    act: ({ use }) => use(new Waiting()).bind({ hostname: "192.0.2.1", port: 0 }),
  },
  {
    what: "TcpServer.bind() twice",
    error: TcpError,
    code: "EINVAL",
    address: own,
    act: ({ server }) => server.bind({ hostname: HERE, port: 0 }),
  },
  {
    what: "TcpServer.bind() of one that is closed",
    error: TcpError,
    code: "ECLOSED",
    address: anyPort,
    act: (stage) => closed(bound(stage, new Waiting())).bind({ hostname: HERE, port: 0 }),
  },
  {
    what: "TcpServer.serve() of one that is not bound",
    error: TcpError,
    code: "EINVAL",
    address: null,
    act: ({ use }) => use(new Waiting()).serve(),
  },
  {
    what: "TcpServer.serve() of one that is closed",
    error: TcpError,
    code: "ECLOSED",
    address: anyPort,
    act: (stage) => closed(bound(stage, new Waiting())).serve(),
  },
  {
    what: "TcpServer.serve() twice",
    error: TcpError,
    code: "EALREADY",
    address: own,
    act: ({ server }) => server.serve(),
  },
  {
    what: "TcpServer.sockname of one that is not bound",
    error: TcpError,
    code: "EINVAL",
    address: null,
    act: ({ use }) => use(new Waiting()).sockname,
  },
  {
    what: "PipeClient.connect() to a path that is not there",
    error: PipeError,
    code: "ENOENT",
    address: ({ folder }) => `${folder}/nothing`,
    caused: true,
    act: ({ use, folder }) => use(new PipeClient()).connect(`${folder}/nothing`),
  },
  {
    what: "PipeClient.connect() to a file",
    error: PipeError,
    code: "ECONNREFUSED",
    address: ({ folder }) => `${folder}/file`,
    caused: true,
    act: ({ use, folder }) => use(new PipeClient()).connect(`${folder}/file`),
  },
  {
    what: "PipeServer.bind() to a path where somebody listens",
    error: PipeError,
    code: "EADDRINUSE",
    address: ({ folder }) => `${folder}/socket`,
    caused: true,
    act: ({ use, folder }) => {
      use(new Pipes()).bind(`${folder}/socket`);
      use(new Pipes()).bind(`${folder}/socket`);
    },
  },
  {
    what: "PipeServer.bind() in a folder that is not there",
    error: PipeError,
    code: "ENOENT",
    address: ({ folder }) => `${folder}/none/socket`,
    caused: true,
    act: ({ use, folder }) => use(new Pipes()).bind(`${folder}/none/socket`),
  },
  {
    what: "PipeServer.bind() twice",
    error: PipeError,
    code: "EINVAL",
    address: ({ folder }) => `${folder}/socket`,
    act: ({ use, folder }) => {
      const server = use(new Pipes());
      server.bind(`${folder}/socket`);
      server.bind(`${folder}/other`);
    },
  },
  {
    what: "PipeStream.read() of one that is not open",
    error: PipeError,
    code: "ENOTCONN",
    address: null,
    act: ({ use }) => use(new PipeStream()).read(),
  },
  {
    what: "PipeStream.open() of a descriptor that there is not",
    error: PipeError,
    code: "EBADF",
    address: () => "descriptor 999",
    caused: true,
    act: ({ use }) => use(new PipeStream()).open(999),
  },
  {
    what: "a TtyStream of what is no terminal",
    error: TtyError,
    code: "ENOTTY",
    address: () => "terminal 999",
    act: () => new TtyStream(999, true),
  },
  {
    what: "openFile() of a file that is not there",
    error: FileError,
    code: "ENOENT",
    address: ({ folder }) => `${folder}/nothing`,
    caused: true,
    act: ({ folder }) => openFile(`${folder}/nothing`),
  },
  {
    what: "openFile() of a folder to be written",
    error: FileError,
    code: "EISDIR",
    address: ({ folder }) => folder,
    caused: true,
    act: ({ folder }) => openFile(folder, { write: true }),
  },
  {
    what: "FileStream.write() of a file that is only read",
    error: FileError,
    code: "EBADF",
    address: ({ folder }) => `${folder}/file`,
    caused: true,
    act: async ({ use, folder }) => {
      const file = use(await openFile(`${folder}/file`));
      await file.write("x");
      await file.flush();
    },
  },
  {
    what: "FileStream.seek() to before the start",
    error: FileError,
    code: "EINVAL",
    address: ({ folder }) => `${folder}/file`,
    act: async ({ use, folder }) => use(await openFile(`${folder}/file`)).seek(-1),
  },
  {
    what: "FileStream.stat() of one that is closed",
    error: FileError,
    code: "ECLOSED",
    address: ({ folder }) => `${folder}/file`,
    act: async ({ folder }) => closed<FileStream>(await openFile(`${folder}/file`)).stat(),
  },
  {
    what: "serveFiles() of a file that cannot be opened",
    error: FileError,
    code: "EMFILE",
    address: ({ folder }) => `${folder}/file`,
    caused: true,
    act: async ({ folder }) => {
      const { open } = Deno;
      Deno.open = () =>
        Promise.reject(Object.assign(new Error("Too many open files (os error 24)"), {}));
      try {
        await serveFiles(new Request("http://localhost/file"), folder);
      } finally {
        Deno.open = open;
      }
    },
  },
  {
    what: "UdpEndpoint.bind() to an address that is taken",
    error: UdpError,
    code: "EADDRINUSE",
    address: anyPort,
    caused: true,
    act: ({ use }) => {
      const endpoint = use(new UdpEndpoint());
      endpoint.bind({ hostname: HERE, port: 0 });
      use(new UdpEndpoint()).bind(endpoint.sockname);
    },
  },
  {
    what: "UdpEndpoint.send() of too much",
    error: UdpError,
    code: "EMSGSIZE",
    address: () => "127.0.0.1:9",
    caused: true,
    act: ({ use }) =>
      use(new UdpEndpoint()).send(new Uint8Array(70_000), { hostname: HERE, port: 9 }),
  },
  {
    what: "UdpEndpoint.send() to a name that nobody has",
    error: UdpError,
    code: "ENOTFOUND",
    address: () => "nobody.invalid:9",
    caused: true,
    act: ({ use }) => use(new UdpEndpoint()).send("x", { hostname: "nobody.invalid", port: 9 }),
  },
  {
    what: "UdpEndpoint.receive() of one that is not bound",
    error: UdpError,
    code: "EINVAL",
    address: null,
    act: ({ use }) => use(new UdpEndpoint()).receive(),
  },
  {
    what: "UdpEndpoint.receive() that is closed meanwhile",
    error: UdpError,
    code: "ECLOSED",
    address: anyPort,
    act: () => {
      const endpoint = new UdpEndpoint();
      endpoint.bind({ hostname: HERE, port: 0 });
      const receiving = endpoint.receive();
      queueMicrotask(() => endpoint.close());
      return receiving;
    },
  },
  {
    what: "UdpEndpoint.joinMulticast() of what is no group",
    error: UdpError,
    code: "EINVAL",
    address: anyPort,
    caused: true,
    act: ({ use }) => {
      const endpoint = use(new UdpEndpoint());
      endpoint.bind({ hostname: HERE, port: 0 });
      endpoint.joinMulticast("127.0.0.1");
    },
  },
  {
    what: "HttpServer.bind() to an address that is taken",
    error: TcpError,
    code: "EADDRINUSE",
    address: own,
    caused: true,
    act: ({ server }) => new HttpServer(() => new Response()).bind(server.sockname),
  },
  {
    what: "HttpServer.bind() to a name that nobody has",
    error: TcpError,
    code: "ENOTFOUND",
    address: () => "nobody.invalid:0",
    caused: true,
    act: () => new HttpServer(() => new Response()).bind({ hostname: "nobody.invalid", port: 0 }),
  },
  {
    what: "HttpServer.serve() of one that is closed",
    error: TcpError,
    code: "ECLOSED",
    address: anyPort,
    act: async () => {
      const server = new HttpServer(() => new Response());
      server.bind({ hostname: HERE, port: 0 });
      await server.close();
      await server.serve();
    },
  },
  {
    what: "TlsClient.connect() where nobody listens",
    error: TlsError,
    code: "ECONNREFUSED",
    address: anyPort,
    caused: true,
    act: async ({ use }) =>
      use(new TlsClient()).connect({ hostname: HERE, port: await freePort(), ...trust }),
  },
  {
    what: "TlsServer.bind() with a certificate that is none",
    error: TlsError,
    code: "EINVAL",
    address: () => "127.0.0.1:0",
    caused: true,
    act: ({ use }) =>
      use(new Secure()).bind({ hostname: HERE, port: 0, ...identity, cert: "nonsense" }),
  },
  {
    what: "TcpClient.startTls() of one that is not connected",
    error: TcpError,
    code: "ENOTCONN",
    address: null,
    act: ({ use }) => use(new TcpClient()).startTls(),
  },
  {
    what: "a delimiter that does not come before the end",
    error: IncompleteReadError,
    code: "EINCOMPLETE",
    address: ({ folder }) => `${folder}/file`,
    act: async ({ use, folder }) => use(await openFile(`${folder}/file`)).readUntil("\n"),
  },
  {
    what: "a delimiter that does not come within the limit",
    error: BufferLimitError,
    code: "EBUFFERLIMIT",
    address: ({ folder }) => `${folder}/file`,
    act: async ({ use, folder }) => {
      const file = use(await openFile(`${folder}/file`));
      file.maxBufferSize = 2;
      await file.readUntil("\n");
    },
  },
  {
    what: "a line that is longer than allowed",
    error: BufferLimitError,
    code: "EBUFFERLIMIT",
    address: ({ folder }) => `${folder}/file`,
    act: async ({ use, folder }) => {
      await use(await openFile(`${folder}/file`)).lines({ maxLength: 2 }).next();
    },
  },
  {
    what: "a write beyond what may be buffered",
    error: BufferLimitError,
    code: "EBUFFERLIMIT",
    address: ({ server }) => `127.0.0.1:${server.sockname.port}`,
    act: async ({ client }) => {
      client.maxBuffered = 1_000_000;
      while (true) await client.write(new Uint8Array(100_000), { timeout: 0 }).catch(limitOnly);
    },
  },
];

/** Goes on until the limit is reached. */
function limitOnly(error: unknown): void {
  if (!(error instanceof TimeoutError)) throw error;
}

for (const { what, error: Class, code, address, caused, act } of FAILURES) {
  Deno.test(`${what} is a ${Class.name} with the code ${code}`, async () => {
    const folder = await Deno.makeTempDir();
    await Deno.writeTextFile(`${folder}/file`, "content");
    const resources: { close(): unknown }[] = [];
    const server = new Waiting();
    server.bind({ hostname: HERE, port: 0 });
    const serving = spawn(() => server.serve());
    await sleep(0);
    const client = new TcpClient();
    await client.connect(server.sockname);
    const use = <T extends { close(): unknown }>(
      resource: T,
    ) => (resources.push(resource), resource);
    const stage: Stage = { server, client, folder, use };
    let error: unknown;
    try {
      await act(stage);
    } catch (thrown) {
      error = thrown;
    }
    try {
      assert(error instanceof Class, Deno.inspect(error));
      assertEquals(error.constructor, Class);
      assertEquals(error.name, Class.name);
      assertEquals([error.code, error.errno], [code, errno[code as "EPIPE"] ?? 0], error.message);
      const expected = address?.(stage) ?? null;
      if (expected instanceof RegExp) {
        assert(expected.test(error.address ?? ""), `${error.address}`);
      } else assertEquals(error.address, expected);
      assertEquals(error.cause instanceof Error, caused ?? false, Deno.inspect(error.cause));
      assert(error.message.startsWith("Cannot "), error.message);
      assert(!/os error/.test(error.message), error.message);
    } finally {
      for (const resource of resources) resource.close();
      client.close();
      server.close();
      await cooperate(serving.join());
      await Deno.remove(folder, { recursive: true });
    }
  });
}
