import { registerErrorClass } from "../loop/carried_error.ts";
import { Line } from "../loop/line.ts";
import { checkpoint, raisesTimeout, type Waiter, type WaitOptions } from "../loop/wait.ts";
import { type Selectable, selectable } from "../tasks/selectable.ts";

/** The channel is closed. */
export class ChannelClosed extends Error {
  static {
    this.prototype.name = "ChannelClosed";
    registerErrorClass(this);
  }
}

/** What a sender brings in place of a value: an error to be thrown from the receive. */
class Failure {
  constructor(readonly error: unknown) {}
}

const DONE = Promise.resolve();

/**
 * Hands values from task to task: a send is done when a receiver has the value. Nothing is kept in between, so
 * a send that is killed, times out or is aborted was not received, and a receive that is has taken nothing.
 * Senders and receivers are served in the order in which they came.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Channel, spawn } from "@evergreen/evergreen";
 *
 * const channel = new Channel<number>();
 * spawn(async () => {
 *   for (const n of [1, 2, 3]) await channel.send(n);
 *   channel.close();
 * });
 * assertEquals(await Array.fromAsync(channel), [1, 2, 3]);
 * ```
 */
export class Channel<T> implements AsyncIterable<T> {
  readonly #senders = new Line<void>(() => "Channel.send()");
  readonly #receivers = new Line<unknown>(() => "Channel.receive()");
  #closed = false;

  /** Whether {@linkcode Channel.prototype.close} was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Hands `value` to a receiver, and waits for one.
   *
   * @throws {ChannelClosed} If the channel is closed, or closes meanwhile.
   * @throws {TimeoutError} If nobody receives within `options.timeout`.
   */
  send(value: T, options?: WaitOptions): Promise<void> {
    const refused = checkpoint(options);
    if (refused !== undefined) return refused;
    if (this.#closed) return Promise.reject(closedError());
    const receiver = this.#receivers.first;
    if (receiver === null) {
      return this.#senders.wait(raisesTimeout, options, value);
    }
    receiver.wake(value);
    return DONE;
  }

  /**
   * Hands `error` to a receiver, whose {@linkcode Channel.prototype.receive} throws it, and waits for one.
   *
   * @throws {ChannelClosed} If the channel is closed, or closes meanwhile.
   * @throws {TimeoutError} If nobody receives within `options.timeout`.
   */
  sendException(error: unknown, options?: WaitOptions): Promise<void> {
    const refused = checkpoint(options);
    if (refused !== undefined) return refused;
    if (this.#closed) return Promise.reject(closedError());
    const receiver = this.#receivers.first;
    if (receiver === null) {
      return this.#senders.wait(raisesTimeout, options, new Failure(error));
    }
    receiver.throw(error);
    return DONE;
  }

  /**
   * Takes a value from a sender, and waits for one.
   *
   * @throws What was sent by {@linkcode Channel.prototype.sendException}.
   * @throws {ChannelClosed} If the channel is closed, or closes meanwhile.
   * @throws {TimeoutError} If nobody sends within `options.timeout`.
   */
  receive(options?: WaitOptions): Promise<T> {
    const refused = checkpoint(options);
    if (refused !== undefined) return refused;
    if (this.#closed) return Promise.reject(closedError());
    const sender = this.#senders.first;
    if (sender === null) return this.#receivers.wait(raisesTimeout, options) as Promise<T>;
    const offer = take(sender);
    return offer instanceof Failure ? Promise.reject(offer.error) : Promise.resolve(offer as T);
  }

  /** Hands `value` to a receiver if one waits. Returns whether one did. */
  trySend(value: T): boolean {
    if (this.#closed) throw closedError();
    const receiver = this.#receivers.first;
    receiver?.wake(value);
    return receiver !== null;
  }

  /** Takes a value if a sender waits; throws if it sends an error. */
  tryReceive(): { value: T } | null {
    if (this.#closed) throw closedError();
    const sender = this.#senders.first;
    if (sender === null) return null;
    const offer = take(sender);
    if (offer instanceof Failure) throw offer.error;
    return { value: offer as T };
  }

  /** {@linkcode Channel.prototype.receive} as a case of {@linkcode select}. */
  receiving(): Selectable<T> {
    return selectable<T>({
      poll: () => this.tryReceive(),
      enlist: (waiter) => this.#receivers.add(waiter),
      describe: this.#receivers.describe,
    });
  }

  /** {@linkcode Channel.prototype.send} as a case of {@linkcode select}. */
  sending(value: T): Selectable<void> {
    return selectable<void>({
      poll: () => this.trySend(value) ? { value: undefined } : null,
      enlist: (waiter) => {
        waiter.offer = value;
        this.#senders.add(waiter);
      },
      describe: this.#senders.describe,
    });
  }

  /** Closes it: who waits, and who comes, gets a {@linkcode ChannelClosed}; iterations end. */
  close(): void {
    this.#closed = true;
    this.#receivers.raiseAll(closedError);
    this.#senders.raiseAll(closedError);
  }

  /** Receives until the channel is closed. */
  async *[Symbol.asyncIterator](): AsyncIterator<T> {
    while (true) {
      let value: T;
      try {
        value = await this.receive();
      } catch (error) {
        if (error instanceof ChannelClosed && this.#closed) return;
        throw error;
      }
      yield value;
    }
  }
}

function take(sender: Waiter<void>): unknown {
  const { offer } = sender;
  sender.wake();
  return offer;
}

function closedError(): ChannelClosed {
  return new ChannelClosed("The channel is closed");
}
