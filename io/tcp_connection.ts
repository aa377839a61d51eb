import { shownAddress } from "./_address.ts";
import { StreamConnection } from "./stream_connection.ts";
import { type StreamError, type StreamErrorOptions, TcpError } from "./stream_error.ts";
import type { StreamServer } from "./stream_server.ts";
import type { TcpSocket } from "./transport.ts";

/** A client's connection to a {@linkcode TcpServer}. */
export class TcpConnection extends StreamConnection<TcpSocket> {
  readonly #address: string;

  /** Made by the server that has accepted it. */
  constructor(socket: TcpSocket, server: StreamServer | null) {
    super(socket, server);
    this.#address = shownAddress(socket.remoteAddress);
  }

  /** The server's address. */
  get sockname(): Deno.NetAddr {
    return this.socket.localAddress;
  }

  /** The client's address. */
  get peername(): Deno.NetAddr {
    return this.socket.remoteAddress;
  }

  /**
   * Whether small writes are sent at once, as they are unless this is called, and not held back to be sent together
   * with later ones.
   */
  setNoDelay(enable = true): void {
    this.socket.setNoDelay(enable);
  }

  /** Whether the system looks now and then whether the other side is still there. */
  setKeepAlive(enable = true): void {
    this.socket.setKeepAlive(enable);
  }

  /** Whom it is connected to, in its errors and reports. */
  protected override get address(): string {
    return this.#address;
  }

  /** Makes an error of this class. */
  protected override makeError(message: string, options: StreamErrorOptions): StreamError {
    return new TcpError(message, options);
  }
}
