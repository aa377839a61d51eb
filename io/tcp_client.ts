import { shown } from "../loop/arguments.ts";
import type { WaitOptions } from "../loop/wait.ts";
import { shownAddress } from "./_address.ts";
import { failureOf } from "./_failure.ts";
import { shakeHands } from "./_handshake.ts";
import { ClientStream } from "./client_stream.ts";
import { network } from "./network.ts";
import { type StreamError, type StreamErrorOptions, TcpError, TlsError } from "./stream_error.ts";
import type { TcpSocket, TlsSocket } from "./transport.ts";

/** How {@linkcode TcpClient.prototype.connect} connects. */
export interface ConnectOptions extends WaitOptions {
  /** The address of this machine that the connection comes from; by default the system chooses. */
  sourceAddress?: {
    /** The address. */
    hostname: string;
    /** The port; by default any that is free. */
    port?: number;
  };
}

/** How {@linkcode TcpClient.prototype.startTls} goes on. */
export interface StartTlsOptions {
  /** Whose certificate is expected. The default is the name that was connected to. */
  hostname?: string;
  /** The authorities that are trusted besides the system's, as PEM. */
  caCerts?: string[];
  /** The protocols to choose from, the best first. */
  alpnProtocols?: string[];
}

/** Whom a {@linkcode TcpClient} connects to. */
export interface TcpTarget {
  /** A name or an address. */
  hostname: string;
  /** The port there. */
  port: number;
}

/**
 * A TCP connection to a server.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { spawn, TcpClient, type TcpConnection, TcpServer } from "@evergreen/evergreen";
 *
 * class Greeter extends TcpServer {
 *   async handleConnection(connection: TcpConnection): Promise<void> {
 *     await connection.write("hello\n");
 *   }
 * }
 * const server = new Greeter();
 * server.bind({ hostname: "127.0.0.1", port: 0 });
 * spawn(() => server.serve());
 *
 * const client = new TcpClient();
 * await client.connect(server.sockname);
 * assertEquals(await Array.fromAsync(client.lines()), ["hello"]);
 * client.close();
 * server.close();
 * ```
 */
export class TcpClient extends ClientStream<TcpSocket | TlsSocket> {
  #hostname = "";
  #alpnProtocol: string | null = null;

  /**
   * Connects to a server. Of a name with several addresses each is tried. What was written before is sent then. An attempt that is killed or times out can be
   * repeated.
   *
   * @throws {TcpError} If the server cannot be reached, or the client is closed, connected or connecting.
   * @throws {TimeoutError} If it takes longer than `options.timeout`.
   */
  connect(target: TcpTarget, options?: ConnectOptions): Promise<void> {
    const { sourceAddress } = options ?? {};
    try {
      checkTarget("connect", target, 1);
      if (sourceAddress !== undefined) checkTarget("connect", { port: 0, ...sourceAddress });
    } catch (error) {
      return Promise.reject(error);
    }
    const { hostname, port } = target;
    this.#hostname = hostname;
    const open = (signal: AbortSignal) =>
      network.connectTcp({ hostname, port, sourceAddress, signal });
    return this.dial(shownAddress(target), open, options);
  }

  /**
   * Goes on with TLS, once the server has agreed to that (STARTTLS). What was written is sent before. If it fails
   * or is given up, the client is closed.
   *
   * @param upgrade `hostname`: whose certificate is expected, by default the name that was connected to.
   * @throws {TlsError} If the handshake fails.
   * @throws {TcpError} If something has arrived before the handshake that was not read, or is waited for; or the
   * client is not connected.
   */
  async startTls(upgrade: StartTlsOptions = {}, options?: WaitOptions): Promise<void> {
    const refused = this.check("start TLS with", options);
    if (refused !== undefined) return refused;
    const { hostname = this.#hostname, caCerts, alpnProtocols } = upgrade;
    await this.upgrade("start TLS with", async (socket, signal) => {
      if (!("startTls" in socket)) throw this.refuse("start TLS with", "it has begun", "EALREADY");
      try {
        const secured = await socket.startTls({ hostname, caCerts, alpnProtocols });
        this.#alpnProtocol = await shakeHands(secured, signal);
        return secured;
      } catch (cause) {
        const { why, ...details } = failureOf(cause, this.address);
        throw new TlsError(`Cannot start TLS with ${this.address}: ${why}`, details);
      }
    }, options);
  }

  /** The protocol that was agreed on by {@linkcode TcpClient.prototype.startTls}, if any was. */
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

  /**
   * Whether small writes are sent at once, as they are unless this is called, and not held back to be sent together
   * with later ones.
   */
  setNoDelay(enable = true): void {
    this.connected.setNoDelay(enable);
  }

  /** Whether the system looks now and then whether the other side is still there. */
  setKeepAlive(enable = true): void {
    this.connected.setKeepAlive(enable);
  }

  /** Makes an error of this class. */
  protected override makeError(message: string, options: StreamErrorOptions): StreamError {
    return new TcpError(message, options);
  }
}

/** Throws unless `target` is a host and a port. */
export function checkTarget(
  what: string,
  target: { hostname?: string; port: number },
  least = 0,
): void {
  if (typeof target !== "object" || target === null) {
    throw new TypeError(
      `Cannot ${what}: { hostname, port } is needed, not ${shown(target)}`,
    );
  }
  const { hostname, port } = target;
  if (hostname !== undefined && typeof hostname !== "string") {
    throw new TypeError(`Cannot ${what}: the hostname must be a string, not ${shown(hostname)}`);
  }
  if (typeof port !== "number") {
    throw new TypeError(`Cannot ${what}: the port must be a number, not ${shown(port)}`);
  }
  if (!Number.isInteger(port) || port < least || port > 65_535) {
    throw new RangeError(`Cannot ${what}: the port must be from ${least} to 65535, not ${port}`);
  }
}
