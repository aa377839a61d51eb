import type { WaitOptions } from "../loop/wait.ts";
import { shownAddress } from "./_address.ts";
import { shakeHands } from "./_handshake.ts";
import { ClientStream } from "./client_stream.ts";
import { network } from "./network.ts";
import { type StreamError, type StreamErrorOptions, TlsError } from "./stream_error.ts";
import { checkTarget, type TcpTarget } from "./tcp_client.ts";
import type { TlsSocket } from "./transport.ts";

/** Whom a {@linkcode TlsClient} connects to, and whom it trusts. */
export interface TlsTarget extends TcpTarget {
  /** The authorities that are trusted besides the system's, as PEM. */
  caCerts?: string[];
  /** The client's own certificate, as PEM. */
  cert?: string;
  /** The key to it, as PEM. */
  key?: string;
  /** The protocols to choose from, the best first. */
  alpnProtocols?: string[];
}

/** A TLS connection to a server. */
export class TlsClient extends ClientStream<TlsSocket> {
  #alpnProtocol: string | null = null;

  /**
   * Connects to a server, and makes the handshake. The certificate must be one for `target.hostname`.
   *
   * @throws {TlsError} If the server cannot be reached or the handshake fails, or the client is closed, connected
   * or connecting.
   * @throws {TimeoutError} If it takes longer than `options.timeout`.
   */
  connect(target: TlsTarget, options?: WaitOptions): Promise<void> {
    try {
      checkTarget("connect", target, 1);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.dial(shownAddress(target), async (signal) => {
      const socket = await network.connectTls({ ...target, signal });
      this.#alpnProtocol = await shakeHands(socket, signal);
      return socket;
    }, options);
  }

  /** The protocol that was agreed on, if any was. */
  get alpnProtocol(): string | null {
    return this.#alpnProtocol;
  }

  /** Its own address. */
  get sockname(): Deno.NetAddr {
    return this.connected.localAddress;
  }

  /** The server's address. */
  get peername(): Deno.NetAddr {
    return this.connected.remoteAddress;
  }

  /** Makes a {@linkcode TlsError}. */
  protected override makeError(message: string, options: StreamErrorOptions): StreamError {
    return new TlsError(message, options);
  }
}
