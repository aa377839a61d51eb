import { cooperate } from "../loop/event_loop.ts";
import type { WaitOptions } from "../loop/wait.ts";
import { shownAddress } from "./_address.ts";
import { StreamConnection } from "./stream_connection.ts";
import { type StreamError, type StreamErrorOptions, TlsError } from "./stream_error.ts";
import type { StreamServer } from "./stream_server.ts";
import type { TlsSocket } from "./transport.ts";

/** A client's connection to a {@linkcode TlsServer}. */
export class TlsConnection extends StreamConnection<TlsSocket> {
  readonly #address: string;
  #alpnProtocol: string | null = null;

  /** Made by the server that has accepted it. */
  constructor(socket: TlsSocket, server: StreamServer | null) {
    super(socket, server);
    this.#address = shownAddress(socket.remoteAddress);
  }

  /**
   * Waits until both sides have agreed. The server has done this before it handles the connection.
   *
   * @throws {TlsError} If the handshake fails.
   */
  async handshake(options?: WaitOptions): Promise<void> {
    const refused = this.check("make a handshake with", options);
    if (refused !== undefined) return refused;
    const failed = (cause: unknown): never => {
      throw this.fault("make a handshake with", cause);
    };
    this.#alpnProtocol = await cooperate(this.socket.handshake().catch(failed), options);
  }

  /** The protocol that was agreed on, if any was. */
  get alpnProtocol(): string | null {
    return this.#alpnProtocol;
  }

  /** The server's address. */
  get sockname(): Deno.NetAddr {
    return this.socket.localAddress;
  }

  /** The client's address. */
  get peername(): Deno.NetAddr {
    return this.socket.remoteAddress;
  }

  /** What messages call it. */
  protected override get address(): string {
    return this.#address;
  }

  /** Makes a {@linkcode TlsError}. */
  protected override makeError(message: string, options: StreamErrorOptions): StreamError {
    return new TlsError(message, options);
  }
}
