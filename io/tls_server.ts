import { TimeoutError } from "../loop/errors.ts";
import { shownAddress } from "./_address.ts";
import { coded } from "./_failure.ts";
import { network } from "./network.ts";
import { type StreamError, type StreamErrorOptions, TlsError } from "./stream_error.ts";
import { type BindOptions, StreamServer } from "./stream_server.ts";
import { checkTarget } from "./tcp_client.ts";
import { TlsConnection } from "./tls_connection.ts";
import type { TlsSocket } from "./transport.ts";

/** Where a {@linkcode TlsServer} listens, and who it is. */
export interface TlsAddress {
  /** The address; by default all of this machine's. */
  hostname?: string;
  /** The port; 0 is any that is free. */
  port: number;
  /** The certificate, with those that lead to its authority, as PEM. */
  cert: string;
  /** The key to it, as PEM. */
  key: string;
  /** The protocols to choose from, the best first. */
  alpnProtocols?: string[];
}

/**
 * A TLS server. A subclass says in `handleConnection` what is done with a client. The handshake is made in the
 * connection's task, so a client that does not finish it holds up nobody else.
 */
export abstract class TlsServer extends StreamServer<TlsConnection, Deno.NetAddr, TlsSocket> {
  /**
   * How long a client may take for the handshake, in milliseconds. Then its task ends, which is reported as a
   * {@linkcode TlsError} with the code "ETIMEDOUT".
   *
   * The platform does not let go of a socket before its handshake is over, so the system has it until the client
   * sends something that is none, or goes.
   *
   * @default {30000}
   */
  handshakeTimeout = 30_000;

  /**
   * Binds it to an address.
   *
   * @throws {TlsError} If the address cannot be had, the certificate or key is none, or the server is bound or
   * closed already.
   */
  bind(address: TlsAddress, options?: BindOptions): void {
    checkTarget("bind", address);
    const { hostname = "0.0.0.0", port } = address;
    this.listen(
      shownAddress({ hostname, port }),
      () => network.listenTls({ ...address, hostname, backlog: options?.backlog }),
    );
  }

  /** The address it is bound to. */
  get sockname(): Deno.NetAddr {
    return this.address;
  }

  /** Makes the handshake, in the connection's task. */
  protected override async prepare(connection: TlsConnection): Promise<void> {
    const timeout = this.handshakeTimeout;
    try {
      await connection.handshake({ timeout });
    } catch (cause) {
      if (!(cause instanceof TimeoutError)) throw cause;
      const address = shownAddress(connection.peername);
      throw new TlsError(
        `Cannot make a handshake with ${address}: it took longer than ${timeout} ms`,
        { ...coded("ETIMEDOUT", address), cause },
      );
    }
  }

  /** Makes the connection that stands on a socket. */
  protected override makeConnection(socket: TlsSocket): TlsConnection {
    return new TlsConnection(socket, this as unknown as StreamServer);
  }

  /** The machine that a client is on. */
  protected override hostOf(address: Deno.NetAddr): string {
    return address.hostname;
  }

  /** What messages call a client. */
  protected override nameOf(address: Deno.NetAddr): string {
    return shownAddress(address);
  }

  /** Makes a {@linkcode TlsError}. */
  protected override makeError(message: string, options: StreamErrorOptions): StreamError {
    return new TlsError(message, options);
  }
}
