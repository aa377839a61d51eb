import type { WaitOptions } from "../loop/wait.ts";
import { Mailbox } from "./_mailbox.ts";

/** What a stream does to the call behind it. */
export interface StreamedCall {
  /** An item was taken: there is room for another one. */
  taken(): void;
  /** No more are wanted. */
  leave(): void;
  /** End the call now. */
  terminate(): void;
}

/** Puts something into a stream: the executor's side of it. */
export let mailboxOf: (stream: CallStream<unknown>) => Mailbox<unknown>;

/**
 * What a call yields, made elsewhere: {@linkcode TaskPoolExecutor.prototype.stream} and its like give it. The call
 * waits while it is a few items ahead of who iterates. Leaving the iteration early ends the call where it
 * yields, so that its `finally` blocks run.
 */
export class CallStream<T> implements AsyncIterableIterator<T, undefined>, AsyncDisposable {
  readonly #mailbox: Mailbox<T>;
  readonly #call: StreamedCall;

  /** Not for general use: executors make it. */
  constructor(call: StreamedCall) {
    this.#call = call;
    this.#mailbox = new Mailbox(() => "CallStream.next()", () => call.taken());
  }

  /**
   * Waits for the next item. One that comes when its waiter has given up is there for the next.
   *
   * @throws What the call throws, once, after what it has yielded.
   * @throws {BrokenExecutor} If the thread or process died that made the call.
   * @throws {TimeoutError} If none comes within `options.timeout`.
   */
  next(options?: WaitOptions): Promise<IteratorResult<T, undefined>> {
    return this.#mailbox.take(options);
  }

  /** Ends the call where it yields next. Its worker is free for another call when it has ended. */
  return(): Promise<IteratorResult<T, undefined>> {
    this.#mailbox.discard();
    this.#call.leave();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Ends the call at once, wherever it is: see {@linkcode Future.prototype.terminate}. */
  terminate(): void {
    this.#mailbox.discard();
    this.#call.terminate();
  }

  /** Itself. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** {@linkcode CallStream.prototype.return} */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  static {
    mailboxOf = (stream) => stream.#mailbox;
  }
}
