import { registerErrorClass } from "../loop/carried_error.ts";

/** What an error of a stream is made with. */
export interface StreamErrorOptions extends ErrorOptions {
  /** Its name in the system's table, "ECONNREFUSED". */
  code?: string;
  /** Its number there, 0 if the table does not have it. */
  errno?: number;
  /** What it is about: "127.0.0.1:80", or a path. */
  address?: string;
}

/**
 * Something went wrong with a stream or a server. {@linkcode StreamError.prototype.code} says what, for programs;
 * the message says it for people. What the platform threw is the `cause`.
 */
export class StreamError extends Error {
  static {
    this.prototype.name = "StreamError";
    registerErrorClass(this);
  }

  /** What went wrong: a name of the system's table, or "ECLOSED" for a call on something that is closed. */
  readonly code: string;
  /** The number of that name on this system; 0 if it has none. */
  readonly errno: number;
  /** The address or path it is about, if there is one. */
  readonly address: string | null;

  /** Makes one. */
  constructor(message?: string, options?: StreamErrorOptions) {
    super(message, options);
    this.code = options?.code ?? "UNKNOWN";
    this.errno = options?.errno ?? 0;
    this.address = options?.address ?? null;
  }
}

/** Something went wrong with TCP. */
export class TcpError extends StreamError {
  static {
    this.prototype.name = "TcpError";
    registerErrorClass(this);
  }
}

/** Something went wrong with TLS, the handshake for one. */
export class TlsError extends StreamError {
  static {
    this.prototype.name = "TlsError";
    registerErrorClass(this);
  }
}

/** Something went wrong with a pipe or a Unix socket. */
export class PipeError extends StreamError {
  static {
    this.prototype.name = "PipeError";
    registerErrorClass(this);
  }
}

/** Something went wrong with a terminal. */
export class TtyError extends StreamError {
  static {
    this.prototype.name = "TtyError";
    registerErrorClass(this);
  }
}

/** Something went wrong with a file. */
export class FileError extends StreamError {
  static {
    this.prototype.name = "FileError";
    registerErrorClass(this);
  }
}

/** The stream ended before what was asked for had come. What was left is consumed and is in `partial`. */
export class IncompleteReadError extends StreamError {
  static {
    this.prototype.name = "IncompleteReadError";
    registerErrorClass(this);
  }

  /** All that was left in the stream. */
  readonly partial: Uint8Array;

  /** Makes one. */
  constructor(partial: Uint8Array, options?: StreamErrorOptions) {
    super(
      `Cannot read until the delimiter: the stream ended after ${partial.length} bytes without it`,
      { code: "EINCOMPLETE", ...options },
    );
    this.partial = partial;
  }
}

/**
 * A limit of a stream was reached: what was to be read did not come within it, and what was read is still there;
 * or what was to be written would have gone beyond it, and nothing of it is sent.
 */
export class BufferLimitError extends StreamError {
  static {
    this.prototype.name = "BufferLimitError";
    registerErrorClass(this);
  }

  /** How many bytes were allowed. */
  readonly limit: number;

  /** Makes one. */
  constructor(
    limit: number,
    options?: StreamErrorOptions,
    what = "Cannot read: what was asked for did not come, and",
  ) {
    super(`${what} the limit is ${limit} bytes`, {
      code: "EBUFFERLIMIT",
      ...options,
    });
    this.limit = limit;
  }
}
