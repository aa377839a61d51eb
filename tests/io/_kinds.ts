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
} from "../../mod.ts";

/** Two streams that are connected with each other. */
export interface Pair {
  readonly near: BaseStream;
  readonly far: BaseStream;
  close(): void;
}

/** A kind of stream, as the laws see it. */
export interface Kind {
  readonly name: string;
  /** The class of its errors. */
  readonly error: new (message?: string, options?: StreamErrorOptions) => StreamError;
  /** Whether its end of output can be told to the other side while input goes on. */
  readonly halfClose: boolean;
  /** Whether what it stands on never takes a write at once. */
  readonly buffers?: boolean;
  connect(): Promise<Pair>;
}

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
  halfClose: true,
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
  halfClose: true,
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
  halfClose: true,
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
  halfClose: true,
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
  buffers: true,
  error: StreamError,
  halfClose: true,
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

/** Every kind of stream that there is. */
export const kinds: readonly Kind[] = [
  tcp,
  tls,
  startTls,
  platform,
  ...(Deno.build.os === "windows" ? [] : [unix]),
];
