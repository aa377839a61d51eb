import { AsyncLocalStorage } from "node:async_hooks";
import { Callback } from "../loop/handler.ts";
import { Scheduler } from "../loop/scheduler.ts";
import { Strand } from "../loop/strand.ts";

/** The timers that can still fire, by their numbers. */
const timers = new Map<number, Timeout>();

/** Far from where the platform begins to count, so that a number of the one is not taken for one of the other. */
let count = 2 ** 40;

/** The longest delay that the platform's timers take. A longer one fires at once, here as there. */
const LONGEST = 2 ** 31 - 1;

/** What the platform takes a delay for: anything that is no number of at least one is 1. */
export function milliseconds(delay: unknown): number {
  const given = (delay as number) * 1; // Which refuses what the platform refuses.
  return given >= 1 && given <= LONGEST ? Math.trunc(given) : 1;
}

/** The cooperative timer that `handle` means: the object, its number, or that as a string. */
export function findTimer(handle: unknown): Timeout | undefined {
  if (handle instanceof Timeout) return handle;
  return typeof handle === "number" || typeof handle === "string"
    ? timers.get(Number(handle))
    : undefined;
}

/** Told of each timer that is started; see {@linkcode recordTimers}. */
let recording: Timeout[] | null = null;

/** Calls `body`. Returns the timers that it started. */
export function recordTimers(body: () => void): Timeout[] {
  const outer = recording;
  const started: Timeout[] = recording = [];
  try {
    body();
  } finally {
    recording = outer;
  }
  return started;
}

/** A timer that the loop drives, with the interface of the platform's own. */
export class Timeout {
  readonly #scheduler: Scheduler = Scheduler.current();
  readonly #id = ++count;
  // The platform's timers call back in the async context of whoever started them.
  readonly #inContext = AsyncLocalStorage.snapshot();
  readonly #daemon = Strand.current(this.#scheduler).daemon;
  readonly #callback: (...args: unknown[]) => unknown;
  readonly #delay: number;
  readonly #repeat: boolean;
  readonly #args: unknown[];
  #pending: Callback | null = null;
  #referenced = true;
  /** Whether it has called back and was not cancelled since: then it can be started again. */
  #fired = false;

  constructor(
    callback: (...args: unknown[]) => unknown,
    delay: number,
    repeat: boolean,
    args: unknown[],
  ) {
    this.#callback = callback;
    this.#delay = delay;
    this.#repeat = repeat;
    this.#args = args;
    this.#start();
    recording?.push(this);
  }

  /** Has it keep the loop going, as it does from the start. */
  ref(): this {
    return this.#refer(true);
  }

  /** Has it keep neither the loop's `run()` going nor the program alive. */
  unref(): this {
    return this.#refer(false);
  }

  /** Whether it keeps the loop going. */
  hasRef(): boolean {
    return this.#referenced;
  }

  /** Starts its time anew. */
  refresh(): this {
    if (this.#pending !== null || this.#fired) this.#start();
    return this;
  }

  /** Cancels it. */
  close(): this {
    this.#pending?.cancel();
    this.#pending = null;
    this.#fired = false;
    timers.delete(this.#id);
    return this;
  }

  /** Its number. */
  [Symbol.toPrimitive](): number {
    return this.#id;
  }

  /** Cancels it. */
  [Symbol.dispose](): void {
    this.close();
  }

  #start(): void {
    this.#pending?.cancel();
    const pending = new Callback(this.#scheduler, () => this.#fire(), []);
    pending.schedule(this.#scheduler.clock.time() + this.#delay, this.#background);
    this.#pending = pending;
    timers.set(this.#id, this);
  }

  get #background(): boolean {
    return this.#daemon || !this.#referenced;
  }

  #refer(referenced: boolean): this {
    this.#referenced = referenced;
    if (this.#pending !== null) {
      this.#scheduler.timers.place(this.#pending, this.#background);
      this.#scheduler.check();
    }
    return this;
  }

  #fire(): unknown {
    if (this.#repeat) {
      this.#start();
    } else {
      this.#pending = null;
      this.#fired = true;
      timers.delete(this.#id);
    }
    // As on the platform, all that comes of the one timer comes before the next: it may clear that.
    this.#scheduler.endBurst();
    return this.#inContext(() => this.#callback.apply(this, this.#args));
  }
}
