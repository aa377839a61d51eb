import { shown } from "../loop/arguments.ts";
import type { WaitOptions } from "../loop/wait.ts";
import { shownAddress } from "./_address.ts";
import { ClientStream } from "./client_stream.ts";
import { network } from "./network.ts";
import { type StreamError, type StreamErrorOptions, TcpError } from "./stream_error.ts";
import type { SocketTransport } from "./transport.ts";

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
export class TcpClient extends ClientStream<SocketTransport<Deno.NetAddr>> {
  /**
   * Connects to a server. What was written before is sent then. An attempt that is killed or times out can be
   * repeated.
   *
   * @throws {TcpError} If the server cannot be reached, or the client is closed, connected or connecting.
   * @throws {TimeoutError} If it takes longer than `options.timeout`.
   */
  connect(target: TcpTarget, options?: WaitOptions): Promise<void> {
    try {
      checkTarget("connect", target);
    } catch (error) {
      return Promise.reject(error);
    }
    const { hostname, port } = target;
    const open = (signal: AbortSignal) => network.connectTcp({ hostname, port, signal });
    return this.dial(shownAddress(target), open, options);
  }

  /** Its own address. */
  get sockname(): Deno.NetAddr {
    return this.connected.localAddress;
  }

  /** The server's address. */
  get peername(): Deno.NetAddr {
    return this.connected.remoteAddress;
  }

  /** Whether small writes are sent at once, and not held back to be sent together with later ones. */
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
export function checkTarget(what: string, target: { hostname?: string; port: number }): void {
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
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new RangeError(`Cannot ${what}: the port must be from 0 to 65535, not ${port}`);
  }
}
