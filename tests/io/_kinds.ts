import {
  type BaseStream,
  Event,
  spawn,
  type StreamError,
  type StreamErrorOptions,
  TcpClient,
  type TcpConnection,
  TcpError,
  TcpServer,
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
  connect(): Promise<Pair>;
}

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

export const tcp: Kind = {
  name: "TCP",
  error: TcpError,
  halfClose: true,
  async connect() {
    const server = KeepingServer.start();
    const near = new TcpClient();
    await near.connect(server.sockname);
    await server.arrived.wait();
    const close = () => {
      near.close();
      server.close();
    };
    return { near, far: server.kept[0], close };
  },
};

/** Every kind of stream that there is. */
export const kinds: readonly Kind[] = [tcp];
