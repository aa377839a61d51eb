import { BaseStream } from "./base_stream.ts";
import { standardOutput } from "./_standard_output.ts";
import { openStandardInput } from "./_terminal.ts";
import { PipeError, type StreamError, type StreamErrorOptions, TtyError } from "./stream_error.ts";

/** One of the program's own streams, whatever stands behind it: a terminal, a pipe or a file. */
export abstract class StandardStream extends BaseStream {
  /** Whether a terminal stands behind it. */
  abstract readonly isTerminal: boolean;

  /** Makes an error of the class that this kind of stream throws. */
  protected override makeError(message: string, options: StreamErrorOptions): StreamError {
    return this.isTerminal ? new TtyError(message, options) : new PipeError(message, options);
  }
}

/**
 * The program's input, whether that is a terminal, a pipe or a file. Closing it closes the stream only, not the
 * input, so there may be another one after it.
 */
export class StdinStream extends StandardStream {
  /** Opens it. */
  constructor() {
    super();
    this.attach(openStandardInput());
  }

  /** Whether it is a terminal; then a {@linkcode TtyStream} on descriptor 0 can do more. */
  override get isTerminal(): boolean {
    return Deno.stdin.isTerminal();
  }

  /** What messages call it. */
  protected override get address(): string {
    return "the standard input";
  }
}

/** The program's output, whether that is a terminal, a pipe or a file. Closing it closes the stream only. */
export class StdoutStream extends StandardStream {
  /** Opens it. */
  constructor() {
    super();
    this.attach(standardOutput(1));
  }

  /** Whether it is a terminal; then a {@linkcode TtyStream} on descriptor 1 can do more. */
  override get isTerminal(): boolean {
    return Deno.stdout.isTerminal();
  }

  /** What messages call it. */
  protected override get address(): string {
    return "the standard output";
  }
}

/** Where the program writes its errors, whether that is a terminal, a pipe or a file. Closing it closes the stream only. */
export class StderrStream extends StandardStream {
  /** Opens it. */
  constructor() {
    super();
    this.attach(standardOutput(2));
  }

  /** Whether it is a terminal; then a {@linkcode TtyStream} on descriptor 2 can do more. */
  override get isTerminal(): boolean {
    return Deno.stderr.isTerminal();
  }

  /** What messages call it. */
  protected override get address(): string {
    return "the standard error";
  }
}
