import { cooperate } from "../loop/event_loop.ts";
import { Scheduler } from "../loop/scheduler.ts";
import { OUTSIDE, raisesTimeout, Wait, type WaitOptions } from "../loop/wait.ts";
import { BaseStream } from "./base_stream.ts";
import type { Transport } from "./transport.ts";

/** An attempt to connect. */
interface Attempt {
  readonly wait: Wait<void>;
  readonly abort: AbortController;
}

/** A stream that connects to somebody, once. An attempt that fails or is given up may be repeated. */
export abstract class ClientStream<T extends Transport = Transport> extends BaseStream {
  #attempt: Attempt | null = null;
  #address: string | undefined;
  #connected: T | null = null;
  #upgrade: AbortController | null = null;

  /** Closes it at once; an attempt to connect is given up. */
  override close(): void {
    super.close();
    this.#upgrade?.abort();
    const attempt = this.#attempt;
    this.#attempt = null;
    if (attempt === null) return;
    attempt.wait.raise(() => this.refuse("connect to", "it was closed meanwhile", "ECLOSED"));
    attempt.abort.abort();
  }

  /** What it stands on. */
  protected get connected(): T {
    if (this.closed) throw this.refuse("look at", "it is closed", "ECLOSED");
    if (this.#connected === null) throw this.refuse("look at", "it is not connected", "ENOTCONN");
    return this.#connected;
  }

  /** Whether it is being connected: reads wait for that. */
  protected override get opening(): boolean {
    return this.#attempt !== null || this.#upgrade !== null;
  }

  /** What it is, or is to be, connected to. */
  protected override get address(): string | undefined {
    return this.#address;
  }

  /**
   * Connects, as a blocking call.
   *
   * @param open Makes the connection; it gives up when the signal aborts.
   */
  protected async dial(
    address: string,
    open: (signal: AbortSignal) => Promise<T>,
    options?: WaitOptions,
  ): Promise<void> {
    const refused = this.check("connect to", options);
    if (refused !== undefined) return refused;
    if (this.#connected !== null) throw this.refuse("connect to", "it is connected", "EISCONN");
    if (this.#attempt !== null) {
      throw this.refuse("connect to", "it is being connected already", "EALREADY");
    }
    if (options?.timeout === 0) return await raisesTimeout.atOnce();
    this.#address = address;
    const reason = { describe: () => `${this.constructor.name}.connect() to ${address}` };
    const wait = Wait.begin<void>(Scheduler.current(), reason, OUTSIDE);
    const attempt = { wait, abort: new AbortController() };
    this.#attempt = attempt;
    wait.onLeave(() =>
      this.#failed(
        attempt,
        () => this.refuse("connect to", "the attempt was given up", "ECANCELED"),
      )
    );
    if (options !== undefined) wait.limit(options, raisesTimeout);
    open(attempt.abort.signal).then(
      (transport) => this.#succeeded(attempt, transport),
      (cause) => this.#failed(attempt, () => this.fault("connect to", cause)),
    );
    await wait.promise;
  }

  /**
   * Stands on something else that is made of what it stands on, as a blocking call. If that fails or is given
   * up, the stream is closed.
   *
   * @param open Makes it; it gives up when the signal aborts.
   */
  protected async upgrade(
    what: string,
    open: (transport: T, signal: AbortSignal) => Promise<T>,
    options?: WaitOptions,
  ): Promise<void> {
    const transport = this.connected;
    await this.flush(options);
    if (!this.idle || this.#upgrade !== null) {
      throw this.refuse(what, "something has arrived that was not read, or is waited for", "EBUSY");
    }
    const upgrade = this.#upgrade = new AbortController();
    this.detach();
    try {
      this.#connected = await cooperate(open(transport, upgrade.signal), options);
    } catch (error) {
      upgrade.abort();
      transport.close();
      this.close();
      throw error;
    } finally {
      this.#upgrade = null;
    }
    this.attach(this.#connected);
  }

  #succeeded(attempt: Attempt, transport: T): void {
    if (this.#attempt !== attempt) return transport.close(); // Nobody wants it any more.
    this.#attempt = null;
    this.#connected = transport;
    this.attach(transport);
    attempt.wait.wake();
  }

  #failed(attempt: Attempt, make: () => unknown): void {
    if (this.#attempt !== attempt) return;
    this.#attempt = null;
    attempt.abort.abort();
    attempt.wait.raise(make);
    this.discourage(make);
  }
}
