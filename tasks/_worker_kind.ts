import type { FromWorker, ToWorker } from "./_worker_messages.ts";

/** What a worker tells the side that started it. */
export interface RemoteEvents {
  message(message: FromWorker): void;
  /** It is gone. Comes once, however it ended, and nothing after it. */
  gone(how: string, cause?: unknown): void;
}

/** One worker, seen from the side that started it. */
export interface Remote {
  /** Is set to 1 when nobody wants what the worker computes, if it can see that. */
  readonly stopped: Int32Array | null;
  /** Sends what its kind has packed. */
  send(packed: unknown): void;
  /** Keeps the program going. */
  ref(): void;
  /** Lets the program end. */
  unref(): void;
  /** Ends it, which has nothing to do. */
  end(): void;
  /** Ends it at once, whatever it does. */
  terminate(): void;
}

/** A way to have calls made elsewhere: by threads, or by processes. */
export interface WorkerKind {
  /** "thread". */
  readonly name: string;
  readonly plural: string;
  /**
   * Makes a message ready to be sent at any later time. What it holds is as it is now, and what is to be moved is moved now.
   *
   * @throws If something of it cannot be sent.
   */
  pack(message: ToWorker, moved: Transferable[]): unknown;
  /** Starts a worker. What is sent to it at once is not lost. */
  start(events: RemoteEvents): Remote;
}
