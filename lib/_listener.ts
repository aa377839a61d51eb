import { cooperativeConn, shown } from "./_conn.ts";
import { type Direction, type PollSource, type Watch, watching } from "../loop/poll_source.ts";
import { Pump } from "./_pump.ts";

/** A listener whose `accept` waits cooperatively, with the interface of the platform's. Several tasks may accept. */
export class CooperativeListener<C extends Deno.Conn = Deno.Conn, A extends Deno.Addr = Deno.Addr>
  implements Deno.Listener<C, A>, PollSource {
  readonly #listener: Deno.Listener<C, A>;
  readonly #pump: Pump<C>;
  #closed = false;
  #kept = true;

  constructor(listener: Deno.Listener<C, A>) {
    this.#listener = listener;
    this.#pump = new Pump(
      () => `Deno.Listener.accept() at ${shown(listener.addr)}`,
      () => this.#accept(),
      (needed) => needed && this.#kept ? listener.ref() : listener.unref(),
    );
  }

  get addr(): A {
    return this.#listener.addr;
  }

  async accept(): Promise<C> {
    return cooperativeConn(await this.#pump.take()) as C;
  }

  close(): void {
    this.#listener.close();
    this.#closed = true;
    for (const conn of this.#pump.drain()) conn.close();
  }

  ref(): void {
    this.#kept = true;
    this.#listener.ref();
  }

  unref(): void {
    this.#kept = false;
    this.#listener.unref();
  }

  /** As of the platform's, it iterates over itself. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<C>> {
    while (true) {
      try {
        return { value: await this.accept(), done: false };
      } catch (error) {
        if (this.#closed && error instanceof Deno.errors.BadResource) {
          return { value: undefined, done: true };
        }
        // Such a client has gone already, or has failed in its handshake: that is no end.
        if (
          error instanceof Deno.errors.InvalidData || error instanceof Deno.errors.UnexpectedEof ||
          error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.NotConnected
        ) continue;
        throw error;
      }
    }
  }

  /** Whoever leaves the iteration closes the listener, as the platform's. */
  return<T>(value?: T): Promise<IteratorReturnResult<T | undefined>> {
    this.close();
    return Promise.resolve({ value, done: true });
  }

  [Symbol.dispose](): void {
    if (!this.#closed) this.close();
  }

  [watching](direction: Direction, notify: () => void): Watch {
    if (direction === "write") {
      throw new TypeError("Cannot watch a listener for writing: clients come from it");
    }
    return this.#pump.watch(notify);
  }

  async #accept(): Promise<C> {
    const conn = await this.#listener.accept();
    if (!this.#closed) return conn;
    conn.close();
    throw new Deno.errors.BadResource("Listener has been closed");
  }
}
