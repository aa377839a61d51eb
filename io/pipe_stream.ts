import { checkCount } from "../loop/arguments.ts";
import { BaseStream } from "./base_stream.ts";
import { openDescriptor } from "./_descriptor.ts";
import { PipeError, type StreamError, type StreamErrorOptions } from "./stream_error.ts";

/**
 * A stream on a descriptor that the program was given: a pipe, a socket, a terminal, or a file (that needs
 * `--allow-all`).
 */
export class PipeStream extends BaseStream {
  #fd: number | null = null;

  /**
   * Takes a descriptor over; it is closed with the stream. Only a terminal's stays open, as the platform opens the
   * terminal anew. A terminal is for the little that is typed: more is written by a {@linkcode TtyStream}.
   *
   * @param fd Its number.
   * @throws {PipeError} If it is not open, or the stream is open or closed already.
   */
  open(fd: number): void {
    checkCount("The descriptor", fd, 0);
    if (this.closed) throw this.refuse("open", "it is closed", "ECLOSED");
    if (this.#fd !== null) throw this.refuse("open", "it is open already", "EINVAL");
    this.#fd = fd;
    try {
      this.attach(openDescriptor(fd));
    } catch (cause) {
      const error = this.fault("open", cause);
      this.#fd = null;
      throw error;
    }
  }

  /** What messages call it. */
  protected override get address(): string | undefined {
    return this.#fd === null ? undefined : `descriptor ${this.#fd}`;
  }

  /** Makes a {@linkcode PipeError}. */
  protected override makeError(message: string, options: StreamErrorOptions): StreamError {
    return new PipeError(message, options);
  }
}
