import {
  BaseStream,
  Event,
  PipeClient,
  PipeError,
  PipeServer,
  spawn,
  type StreamConnection,
  StreamError,
  type StreamErrorOptions,
  TcpClient,
  type TcpConnection,
  TcpError,
  TcpServer,
  TlsClient,
  TlsError,
  TlsServer,
  type WaitOptions,
} from "../../mod.ts";

/** Two streams that are connected with each other. */
export interface Pair {
  readonly near: BaseStream;
  readonly far: BaseStream;
  close(): void;
  /** Waits, after that, until the platform has let go of what was under way. */
  settled?(): Promise<void>;
}

/** What a kind of stream can do. A law that needs what a kind cannot do is not made for that kind. */
export interface Abilities {
  /** A read waits for what has not been written yet. A file is read to its end. */
  readonly waits: boolean;
  /** A write waits for a reader that is too slow. A file takes everything. */
  readonly stalls: boolean;
  /** Bytes go from the far stream to the near one, too. A pipe has one direction. */
  readonly duplex: boolean;
  /** The far stream sees an end when the near one shuts down or closes. The program's own streams stay open. */
  readonly ends: boolean;
  /** The first write is in the system's hands when it returns. What runs in a thread, or is buffered, is not. */
  readonly immediate: boolean;
  /** A write fails when the far stream is closed. */
  readonly breaks: boolean;
}

/** A kind of stream, as the laws see it. */
export interface Kind extends Abilities {
  readonly name: string;
  /** The class of the near stream's errors. */
  readonly error: new (message?: string, options?: StreamErrorOptions) => StreamError;
  /** Over how many bytes a checksum is made. */
  readonly volume: number;
  connect(): Promise<Pair>;
}

/** A kind of stream that is connected to a server. */
export interface ClientKind {
  readonly name: string;
  /** Starts a server that writes "welcome" to each client; closing it is left to the caller. */
  serve(): WelcomingServer;
  /** A client that is not connected. */
  makeClient(): BaseStream;
  connect(client: BaseStream, server: WelcomingServer, options?: WaitOptions): Promise<void>;
}

/** A server of whichever kind. */
export interface WelcomingServer {
  serve(): Promise<void>;
  close(): void;
  readonly connections: readonly StreamConnection[];
}

/** What sockets can do: everything. */
const SOCKET: Abilities & { volume: number } = {
  waits: true,
  stalls: true,
  duplex: true,
  ends: true,
  immediate: true,
  breaks: true,
  volume: 100_000_000,
};

/** A file of the folder of certificates. */
export function certificate(name: string): string {
  return Deno.readTextFileSync(new URL(`_certificates/${name}`, import.meta.url));
}

/** Who a server at localhost is. */
export const identity = { cert: certificate("localhost.pem"), key: certificate("localhost.key") };

/** Whom its clients trust. */
export const trust = { caCerts: [certificate("ca.pem")] };

/** A server that keeps its connections for the test. */
export class KeepingServer extends TcpServer {
  readonly kept: TcpConnection[] = [];
  readonly arrived = new Event();
  readonly #done = new Event();

  override async handleConnection(connection: TcpConnection): Promise<void> {
    this.kept.push(connection);
    this.arrived.set();
    await this.#done.wait();
  }

  static start(): KeepingServer {
    const server = new KeepingServer();
    server.bind({ hostname: "127.0.0.1", port: 0 });
    spawn(() => server.serve());
    return server;
  }
}

/** The connection that a server accepts next, and how to let go of it. */
class Accepted {
  connection: StreamConnection | null = null;
  readonly #arrived = new Event();
  readonly #done = new Event();

  readonly handle = async (connection: StreamConnection): Promise<void> => {
    this.connection = connection;
    this.#arrived.set();
    await this.#done.wait();
  };

  async pair(near: BaseStream, server: { close(): void }): Promise<Pair> {
    await this.#arrived.wait();
    const close = () => {
      near.close();
      server.close();
    };
    return { near, far: this.connection!, close };
  }
}

const tcp: Kind = {
  name: "TCP",
  error: TcpError,
  ...SOCKET,
  async connect() {
    const accepted = new Accepted();
    const server = new class extends TcpServer {
      override handleConnection = accepted.handle;
    }();
    server.bind({ hostname: "127.0.0.1", port: 0 });
    spawn(() => server.serve());
    const near = new TcpClient();
    await near.connect(server.sockname);
    return accepted.pair(near, server);
  },
};

const tls: Kind = {
  name: "TLS",
  error: TlsError,
  ...SOCKET,
  async connect() {
    const accepted = new Accepted();
    const server = new class extends TlsServer {
      override handleConnection = accepted.handle;
    }();
    server.bind({ hostname: "127.0.0.1", port: 0, ...identity });
    spawn(() => server.serve());
    const near = new TlsClient();
    await near.connect({ hostname: "localhost", port: server.sockname.port, ...trust });
    return accepted.pair(near, server);
  },
};

const startTls: Kind = {
  name: "TCP with startTls()",
  error: TcpError,
  ...SOCKET,
  async connect() {
    const accepted = new Accepted();
    const server = new class extends TlsServer {
      override handleConnection = accepted.handle;
    }();
    server.bind({ hostname: "127.0.0.1", port: 0, ...identity });
    spawn(() => server.serve());
    const near = new TcpClient();
    await near.connect({ hostname: "127.0.0.1", port: server.sockname.port });
    await near.startTls({ hostname: "localhost", ...trust });
    return accepted.pair(near, server);
  },
};

const unix: Kind = {
  name: "Unix socket",
  error: PipeError,
  ...SOCKET,
  async connect() {
    const accepted = new Accepted();
    const server = new class extends PipeServer {
      override handleConnection = accepted.handle;
    }();
    server.bind(temporaryPath());
    spawn(() => server.serve());
    const near = new PipeClient();
    await near.connect(server.pipename);
    return accepted.pair(near, server);
  },
};

const platform: Kind = {
  name: "BaseStream.from()",
  error: StreamError,
  ...SOCKET,
  immediate: false,
  connect() {
    const room = { highWaterMark: 100_000, size: (chunk: Uint8Array) => chunk.length };
    const there = new TransformStream<Uint8Array, Uint8Array>({}, room, room);
    const back = new TransformStream<Uint8Array, Uint8Array>({}, room, room);
    const near = BaseStream.from(back.readable, there.writable);
    const far = BaseStream.from(there.readable, back.writable);
    const close = () => {
      near.close();
      far.close();
    };
    return Promise.resolve({ near, far, close });
  },
};

let paths = 0;

/** A path that nothing is at. */
export function temporaryPath(): string {
  return `${Deno.env.get("TMPDIR") ?? "/tmp"}/evergreen-${Deno.pid}-${++paths}.sock`;
}

/** Every kind of stream that stands on TCP. */
export const tcpKinds: readonly Kind[] = [tcp, tls, startTls];

/** Every kind of stream that is connected by an address, or stands on the platform's. */
export const kinds: readonly Kind[] = [
  ...tcpKinds,
  platform,
  ...(Deno.build.os === "windows" ? [] : [unix]),
];

const welcome = (connection: StreamConnection) => connection.write("welcome");

function bound<S extends { bind(address: never): void }>(server: S, address: object): S {
  server.bind(address as never);
  return server;
}

const here = { hostname: "127.0.0.1", port: 0 };
const portOf = (server: WelcomingServer) => (server as TcpServer).sockname.port;

class WelcomingTcp extends TcpServer {
  override handleConnection = welcome;
}

class WelcomingTls extends TlsServer {
  override handleConnection = welcome;
}

class WelcomingPipe extends PipeServer {
  override handleConnection = welcome;
}

/** Every kind of client that there is. */
export const clientKinds: readonly ClientKind[] = [
  {
    name: "TCP",
    serve: () => bound(new WelcomingTcp(), here),
    makeClient: () => new TcpClient(),
    connect: (client, server, options) =>
      (client as TcpClient).connect({ hostname: "127.0.0.1", port: portOf(server) }, options),
  },
  {
    name: "TCP from a source address",
    serve: () => bound(new WelcomingTcp(), here),
    makeClient: () => new TcpClient(),
    connect: (client, server, options) =>
      (client as TcpClient).connect({ hostname: "127.0.0.1", port: portOf(server) }, {
        ...options,
        sourceAddress: { hostname: "127.0.0.1" },
      }),
  },
  {
    name: "TLS",
    serve: () => bound(new WelcomingTls(), { ...here, ...identity }),
    makeClient: () => new TlsClient(),
    connect: (client, server, options) =>
      (client as TlsClient).connect(
        { hostname: "localhost", port: portOf(server), ...trust },
        options,
      ),
  },
  ...(Deno.build.os === "windows" ? [] : [{
    name: "Unix socket",
    serve: () => {
      const server = new WelcomingPipe();
      server.bind(temporaryPath());
      return server;
    },
    makeClient: () => new PipeClient(),
    connect: (client: BaseStream, server: WelcomingServer, options?: WaitOptions) =>
      (client as PipeClient).connect((server as WelcomingPipe).pipename, options),
  }]),
];
