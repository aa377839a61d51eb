import { BaseStream } from "./base_stream.ts";
import type { StreamServer } from "./stream_server.ts";
import type { Transport } from "./transport.ts";

/** A client's connection, as its server sees it. */
export abstract class StreamConnection<T extends Transport = Transport> extends BaseStream {
  readonly #server: StreamServer | null;
  readonly #socket: T;
  readonly #onClose: (() => void)[] = [];

  /** Made by the server that has accepted it. */
  constructor(socket: T, server: StreamServer | null) {
    super();
    this.#server = server;
    this.#socket = socket;
    this.attach(socket);
  }

  /** Calls `callback` when it is closed, by whichever side of the program. */
  onceClosed(callback: () => void): void {
    this.#onClose.push(callback);
  }

  /** Closes it at once; what is buffered is dropped. Who waits on it gets an error. Again, it does nothing. */
  override close(): void {
    super.close();
    for (const callback of this.#onClose.splice(0)) callback();
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
