import { raisesTimeout, type WaitOptions } from "../loop/wait.ts";
import { Onlookers } from "./_onlookers.ts";
import { OutsideLine } from "./_outside_line.ts";

// Not those that a program may put in their place later.
const { setTimeout, clearTimeout } = globalThis;

/** A send waits while more than this is buffered. */
const HIGH_WATER = 1_048_576;
/** How long it is until it is looked again, at first and at the most, in milliseconds. */
const [SHORTEST, LONGEST] = [1, 8];

/**
 * Those who wait until a WebSocket of the platform has handed on what it was given. It tells nobody when it has, so
 * it is asked now and then, by one timer for all, while somebody wants to know.
 */
export class WebSocketOutput {
  readonly #socket: WebSocket;
  readonly #senders: OutsideLine<void>;
  readonly #flushers: OutsideLine<void>;
  readonly #onlookers = new Onlookers();
  #drained: (() => void) | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #interval = SHORTEST;
  #seen = 0;

  constructor(socket: WebSocket, describe: (call: string) => string) {
    this.#socket = socket;
    this.#senders = new OutsideLine(() => describe("send"), () => this.#left());
    this.#flushers = new OutsideLine(() => describe("flush"), () => this.#left());
  }

  /** How many bytes it has not handed on; none once it is closed. */
  get size(): number {
    return this.#socket.bufferedAmount;
  }

  /** Waits while there are too many. */
  wait(options?: WaitOptions): Promise<void> {
    return this.#wait(this.#senders, HIGH_WATER, options);
  }

  /** Waits until there are none. */
  flush(options?: WaitOptions): Promise<void> {
    return this.#wait(this.#flushers, 0, options);
  }

  /** Calls `callback` when there are none, at once if that is now. */
  whenDrained(callback: () => void): void {
    if (this.size === 0) return callback();
    this.#drained = callback;
    this.#watch();
  }

  /** Looks whether a send would wait, for {@linkcode Onlookers}. */
  watch(notify: () => void): ReturnType<Onlookers["add"]> {
    return this.#onlookers.add(notify, () => {
      if (this.size <= HIGH_WATER) return true;
      this.#watch();
      return false;
    }, () => this.#left());
  }

  /** Nothing of it will be handed on any more. */
  fail(make: () => unknown): void {
    this.#senders.raiseAll(make);
    this.#flushers.raiseAll(make);
    this.#onlookers.notify();
    this.#left();
  }

  /** As {@linkcode fail}, and nobody is called who waits until there are none. */
  end(make: () => unknown): void {
    this.#drained = null;
    this.fail(make);
  }

  #wait(line: OutsideLine<void>, most: number, options?: WaitOptions): Promise<void> {
    if (this.size <= most) return Promise.resolve();
    const promise = line.wait(raisesTimeout, options);
    if (line.size > 0) this.#watch();
    return promise;
  }

  #watch(): void {
    if (this.#timer !== null) return;
    this.#interval = SHORTEST;
    this.#seen = this.size;
    this.#timer = setTimeout(this.#look, this.#interval);
  }

  readonly #look = (): void => {
    this.#timer = null;
    const size = this.size;
    if (size <= HIGH_WATER) {
      this.#senders.wakeAll();
      this.#onlookers.notify();
    }
    if (size === 0) {
      this.#flushers.wakeAll();
      const drained = this.#drained;
      this.#drained = null;
      drained?.();
    }
    if (!this.#wanted) return;
    // As long as it gets on, it is looked often; a client that reads nothing is asked about ever less.
    this.#interval = size < this.#seen ? SHORTEST : Math.min(this.#interval * 2, LONGEST);
    this.#seen = size;
    this.#timer = setTimeout(this.#look, this.#interval);
  };

  get #wanted(): boolean {
    return this.#senders.size + this.#flushers.size + this.#onlookers.size > 0 ||
      this.#drained !== null;
  }

  #left(): void {
    if (this.#timer === null || this.#wanted) return;
    clearTimeout(this.#timer);
    this.#timer = null;
  }
}
