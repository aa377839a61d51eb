import { shown } from "../loop/arguments.ts";
import type { WaitOptions } from "../loop/wait.ts";
import { ClientStream } from "./client_stream.ts";
import { network } from "./network.ts";
import { PipeError, type StreamError, type StreamErrorOptions } from "./stream_error.ts";
import type { SocketTransport } from "./transport.ts";

/** A connection to a server on this machine, by a path (a Unix socket). */
export class PipeClient extends ClientStream<SocketTransport<Deno.UnixAddr>> {
  /**
   * Connects to the server that listens on `path`.
   *
   * @throws {PipeError} If nobody listens there, or the client is closed, connected or connecting.
   * @throws {TimeoutError} If it takes longer than `options.timeout`.
   */
  connect(path: string, options?: WaitOptions): Promise<void> {
    try {
      checkPath("connect", path);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.dial(path, () => network.connectUnix(path), options);
  }

  /** Makes a {@linkcode PipeError}. */
  protected override makeError(message: string, options: StreamErrorOptions): StreamError {
    return new PipeError(message, options);
  }
}

/** Throws unless `path` can be one. */
export function checkPath(what: string, path: unknown): asserts path is string {
  if (typeof path !== "string") {
    throw new TypeError(`Cannot ${what}: the path must be a string, not ${shown(path)}`);
  }
  if (path === "") throw new RangeError(`Cannot ${what}: the path must not be empty`);
}
