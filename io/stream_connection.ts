import { BaseStream } from "./base_stream.ts";
import type { StreamServer } from "./stream_server.ts";
import type { Transport } from "./transport.ts";

/** A client's connection, as its server sees it. */
export abstract class StreamConnection<T extends Transport = Transport> extends BaseStream {
  readonly #server: StreamServer | null;
  readonly #socket: T;

  /** Made by the server that has accepted it. */
  constructor(socket: T, server: StreamServer | null) {
    super();
    this.#server = server;
    this.#socket = socket;
    this.attach(socket);
  }

  /** The server that has accepted it. */
  get server(): StreamServer | null {
    return this.#server;
  }

  /** What it stands on. */
  protected get socket(): T {
    if (this.closed) throw this.refuse("look at", "it is closed", "ECLOSED");
    return this.#socket;
  }
}
