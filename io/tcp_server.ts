import { shownAddress } from "./_address.ts";
import { network } from "./network.ts";
import { type StreamError, type StreamErrorOptions, TcpError } from "./stream_error.ts";
import { type BindOptions, StreamServer } from "./stream_server.ts";
import { checkTarget } from "./tcp_client.ts";
import { TcpConnection } from "./tcp_connection.ts";
import type { TcpSocket } from "./transport.ts";

/**
 * A TCP server. A subclass says in `handleConnection` what is done with a client.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { spawn, TcpClient, type TcpConnection, TcpServer } from "@evergreen/evergreen";
 *
 * class EchoServer extends TcpServer {
 *   async handleConnection(connection: TcpConnection): Promise<void> {
 *     for await (const data of connection) await connection.write(data);
 *   }
 * }
 *
 * const server = new EchoServer();
 * server.bind({ hostname: "127.0.0.1", port: 0 });
 * const serving = spawn(() => server.serve());
 *
 * const client = new TcpClient();
 * await client.connect(server.sockname);
 * await client.write("hello");
 * assertEquals(await client.readBytes(5), new TextEncoder().encode("hello"));
 *
 * client.close();
 * server.close();
 * await serving.join();
 * ```
 */
export abstract class TcpServer extends StreamServer<TcpConnection, Deno.NetAddr, TcpSocket> {
  /**
   * Binds it to an address. Port 0 is any that is free; {@linkcode TcpServer.prototype.sockname} tells which.
   *
   * @throws {TcpError} If the address cannot be had, or the server is bound or closed already.
   */
  bind(address: { hostname?: string; port: number }, options?: BindOptions): void {
    checkTarget("bind", address);
    const { hostname = "0.0.0.0", port } = address;
    this.listen(
      shownAddress({ hostname, port }),
      () => network.listenTcp({ hostname, port, backlog: options?.backlog }),
    );
  }

  /** The address it is bound to. */
  get sockname(): Deno.NetAddr {
    return this.address;
  }

  /** Makes the connection that stands on a socket. */
  protected override makeConnection(socket: TcpSocket): TcpConnection {
    return new TcpConnection(socket, this as unknown as StreamServer);
  }

  /** The machine that a client is on. */
  protected override hostOf(address: Deno.NetAddr): string {
    return address.hostname;
  }

  /** What messages call a client. */
  protected override nameOf(address: Deno.NetAddr): string {
    return shownAddress(address);
  }

  /** Makes a {@linkcode TcpError}. */
  protected override makeError(message: string, options: StreamErrorOptions): StreamError {
    return new TcpError(message, options);
  }
}
