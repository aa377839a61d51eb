import { network } from "./network.ts";
import { checkPath } from "./pipe_client.ts";
import { PipeConnection } from "./pipe_connection.ts";
import { PipeError, type StreamError, type StreamErrorOptions } from "./stream_error.ts";
import { StreamServer } from "./stream_server.ts";
import type { SocketTransport } from "./transport.ts";

/** A server for programs on this machine, by a path (a Unix socket). */
export abstract class PipeServer
  extends StreamServer<PipeConnection, Deno.UnixAddr, SocketTransport<Deno.UnixAddr>> {
  /**
   * Binds it to a path. The path is removed when the server closes. One that was left behind by a program that
   * has ended is taken over, where the system tells (Linux).
   *
   * @throws {PipeError} If somebody listens there already, or the path cannot be made; or the server is bound or
   * closed already.
   */
  bind(path: string): void {
    checkPath("bind", path);
    this.listen(path, () => network.listenUnix(path));
  }

  /** The path it is bound to. */
  get pipename(): string {
    return this.address.path;
  }

  /** Makes the connection that stands on a socket. */
  protected override makeConnection(socket: SocketTransport<Deno.UnixAddr>): PipeConnection {
    return new PipeConnection(socket, this as unknown as StreamServer);
  }

  /** What messages call a client. */
  protected override nameOf(): string {
    return `a client of ${this.pipename}`;
  }

  /** Makes a {@linkcode PipeError}. */
  protected override makeError(message: string, options: StreamErrorOptions): StreamError {
    return new PipeError(message, options);
  }
}
