import { StreamConnection } from "./stream_connection.ts";
import { PipeError, type StreamError, type StreamErrorOptions } from "./stream_error.ts";
import type { SocketTransport } from "./transport.ts";

/** A client's connection to a {@linkcode PipeServer}. */
export class PipeConnection extends StreamConnection<SocketTransport<Deno.UnixAddr>> {
  /** The path of its server. */
  get pipename(): string {
    return this.socket.localAddress.path;
  }

  /** What messages call it. */
  protected override get address(): string | undefined {
    return this.closed ? undefined : this.socket.localAddress.path;
  }

  /** Makes a {@linkcode PipeError}. */
  protected override makeError(message: string, options: StreamErrorOptions): StreamError {
    return new PipeError(message, options);
  }
}
