import type { Line } from "./line.ts";
import { checkDelay, shown } from "./arguments.ts";
import { LateError, TaskExit, TimeoutError } from "./errors.ts";
import type { Ready } from "./ready.ts";
import { reapTaskExits } from "./rejections.ts";
import type { Scheduler } from "./scheduler.ts";
import { pendingError, Strand } from "./strand.ts";
import type { Due, Timer } from "./timers.ts";

/** How long a blocking call may wait. Every blocking call takes these as its last argument. */
export interface WaitOptions {
  /** Give up after this many milliseconds. Absent or undefined: wait for ever. 0: do not wait. */
  timeout?: number;
  /** Give up when this signal aborts; the wait then rejects with `signal.reason`. */
  signal?: AbortSignal;
}

/** Ends one wait, from anywhere, once; what comes after the first call does nothing. */
export interface Waker<T> {
  /** The wait succeeds with `value`. */
  wake(value: T): void;
  /** The wait fails with `error`. */
  throw(error: unknown): void;
  /** Whether the wait is over, in whichever way. */
  readonly done: boolean;
}

/** What somebody waits for, as a deadlock report says it. */
export interface Reason {
  /** For example "Lock.acquire(), held by Task-1". */
  describe(): string;
}

/** Who can end a wait: only another task. When nothing but such waits is left, that is a deadlock. */
export const TASK = 0;
/** Who can end a wait: anything. A user's own wait, or a timer. */
export const OPEN = 1;
/** Who can end a wait: something outside the loop, I/O or a foreign promise. A virtual clock stands still. */
export const OUTSIDE = 2;
/** Who can end a wait; it decides whether waiting is a deadlock. */
export type Source = typeof TASK | typeof OPEN | typeof OUTSIDE;

/** What a call does when its timeout passes: give something, or throw. */
export interface Expiry {
  /** For a call that must not wait at all. */
  atOnce(): Promise<never>;
  expire(wait: Waiter): void;
}

const WAITING = 0;
/** Ready already: it only gives the others their turn. */
const YIELDING = 1;
const WOKEN = 2;
const THROWN = 3;
/** As thrown, and the value is a function that makes the error. */
const RAISED = 4;
const OVER = 5;

/** Somebody in a {@linkcode Line}: a wait, or one of the cases of a select. */
// deno-lint-ignore no-explicit-any
export abstract class Waiter<T = any> {
  /** The line it stands in, and its neighbours there. */
  // deno-lint-ignore no-explicit-any
  line: Line<any> | null = null;
  ahead: Waiter | null = null;
  behind: Waiter | null = null;
  /** What it brought along: the item of a put, the value of a send. */
  offer: unknown = undefined;

  abstract readonly strand: Strand;
  abstract wake(value: T): void;
  abstract throw(error: unknown): void;
  /**
   * Fails with what `make` returns. It is called where the promise settles: the error then has the stack of
   * the code that waits, not that of a timer.
   */
  abstract raise(make: () => unknown): void;
}

let resolver: (value: unknown) => void;
function keepResolver(resolve: (value: unknown) => void): void {
  resolver = resolve;
}

/**
 * One blocking call that waits. It is made when the call blocks, is ended once, by whoever comes first
 * (a wake-up, a kill, a timeout, an abort), and leaves whatever it stands in in that same step. Then it is
 * queued, and the loop settles its promise when its turn has come.
 */
/** Settles the promise that adopts it with an error that is made as late as possible. */
class Thrower {
  constructor(readonly make: () => unknown) {}

  then(_resolve: unknown, reject: (error: unknown) => void): void {
    const error = this.make();
    LateError.arrive(error);
    reject(error);
  }
}

/** What ends a wait early: a time, a signal, or both. */
class Limits implements Due, EventListenerObject {
  #timer: Timer | null = null;

  constructor(
    readonly wait: Wait,
    readonly expiry: Expiry,
    readonly signal: AbortSignal | undefined,
  ) {
    signal?.addEventListener("abort", this, { once: true });
  }

  start(delay: number): void {
    // It keeps no run() going by itself: the task that waits does, unless it is a daemon.
    this.#timer = this.wait.strand.scheduler.timerIn(delay, this, true);
  }

  due(): void {
    this.#timer = null;
    this.wait.expire(this.expiry);
  }

  handleEvent(): void {
    this.wait.interrupt(this.signal!.reason);
  }

  close(): void {
    if (this.#timer !== null) this.wait.strand.scheduler.timers.cancel(this.#timer);
    this.signal?.removeEventListener("abort", this);
  }
}

/**
 * One blocking call that waits. It is made when the call blocks and is ended once, by whoever comes first: a
 * wake-up, a kill, a timeout, an abort. In that same step it leaves all it stands in. Then it is queued, and
 * the loop settles its promise when its turn has come.
 */
// deno-lint-ignore no-explicit-any
export class Wait<T = any> extends Waiter<T> implements Waker<T>, Ready {
  /** Its neighbours among the waits of its strand. */
  previous: Wait | null = null;
  next: Wait | null = null;
  /** What the caller awaits. */
  readonly promise: Promise<T>;
  #resolve: (value: unknown) => void;
  #state: number = WAITING;
  #value: unknown = undefined;
  #limits: Limits | null = null;
  #leave: (() => void) | null = null;

  private constructor(readonly strand: Strand, readonly reason: Reason, readonly source: Source) {
    super();
    this.promise = new Promise<T>(keepResolver as never);
    this.#resolve = resolver;
  }

  /** Makes the calling strand wait, and gives up its baton. */
  static begin<T>(scheduler: Scheduler, reason: Reason, source: Source): Wait<T> {
    const strand = Strand.current(scheduler);
    const wait = new Wait<T>(strand, reason, source);
    strand.block(wait);
    scheduler.census.waits[source]++;
    scheduler.released(strand);
    return wait;
  }

  /** Makes the calling strand wait until all that is ready already has had its turn. */
  static yield(scheduler: Scheduler, reason: Reason): Wait<void> {
    const strand = Strand.current(scheduler);
    const wait = new Wait<void>(strand, reason, OPEN);
    wait.#state = YIELDING;
    strand.block(wait);
    scheduler.census.waits[OPEN]++;
    scheduler.enqueue(wait);
    scheduler.released(strand);
    return wait;
  }

  get done(): boolean {
    return this.#state > YIELDING;
  }

  wake(value: T): void {
    if (this.#state === WAITING) this.#end(WOKEN, value);
  }

  throw(error: unknown): void {
    if (this.#state === WAITING) this.#end(THROWN, error);
  }

  raise(make: () => unknown): void {
    if (this.#state === WAITING) this.#end(RAISED, make);
  }

  interrupt(error: unknown): boolean {
    const leave = this.#leave;
    if (this.#state === WAITING) {
      this.#end(THROWN, error);
    } else if (this.#state === YIELDING) {
      // It keeps its place among what is ready.
      this.#close();
      this.#state = THROWN;
      this.#value = error;
    } else {
      return false;
    }
    if (leave !== null) this.#left(leave);
    return true;
  }

  /** Its timeout has passed. */
  expire(expiry: Expiry): void {
    const leave = this.#leave;
    expiry.expire(this);
    if (leave !== null) this.#left(leave);
  }

  /** Ends it without its strand, which has ended. */
  abandon(): void {
    const leave = this.#leave;
    this.strand.unblock(this);
    if (this.#state > YIELDING) return;
    this.#close();
    this.#state = OVER;
    reapTaskExits();
    this.#resolve(new Thrower(() => new TaskExit("The task that waited here has ended")));
    if (leave !== null) this.#left(leave);
  }

  /** Settles the promise: the loop does this, when it is this strand's turn. */
  run(): void {
    const state = this.#state;
    if (state === OVER) return;
    if (state === YIELDING) this.#close();
    this.#state = OVER;
    if (!this.strand.ended) this.strand.unblock(this);
    const value = this.#value;
    if (state === THROWN) this.#resolve(new Thrower(() => value));
    else if (state === RAISED) this.#resolve(new Thrower(value as () => unknown));
    else this.#resolve(value);
  }

  /** Calls `leave` if the wait ends in any other way than by {@linkcode wake} or {@linkcode throw}. */
  onLeave(leave: () => void): void {
    if (this.#state === WAITING) this.#leave = leave;
  }

  /** Ends the wait when one of the limits is reached. */
  limit(options: WaitOptions, expiry: Expiry): void {
    const { timeout, signal } = options;
    if (this.#state !== WAITING || (timeout === undefined && signal === undefined)) return;
    this.#limits = new Limits(this, expiry, signal);
    if (timeout !== undefined) this.#limits.start(timeout);
  }

  /**
   * Finds the place in the code that awaits this, without ending the wait: an error that is made while the
   * promise adopts a thenable carries the stack of whoever awaits it. So a place costs nothing until a report
   * asks for it.
   */
  locate(found: (stack: string) => void): void {
    this.#resolve({
      then: (resolve: (value: unknown) => void): void => {
        this.#resolve = resolve;
        const limit = Error.stackTraceLimit;
        Error.stackTraceLimit = 64;
        found(new Error().stack ?? "");
        Error.stackTraceLimit = limit;
      },
    });
  }

  #left(leave: () => void): void {
    try {
      leave();
    } catch (error) {
      const task = this.strand.task ?? undefined;
      this.strand.scheduler.report({
        error,
        task,
        message: "Unhandled error while leaving a wait",
      });
    }
  }

  #end(state: number, value: unknown): void {
    this.#close();
    this.#state = state;
    this.#value = value;
    this.strand.scheduler.enqueue(this);
  }

  /** Leaves everything it stands in. */
  #close(): void {
    this.strand.scheduler.census.waits[this.source]--;
    if (this.line !== null) this.line.remove(this);
    if (this.#limits !== null) {
      this.#limits.close();
      this.#limits = null;
    }
    this.#leave = null;
  }
}

/**
 * What every blocking call does first: it refuses options that make no sense, gives up if its signal has
 * aborted already, and lets a kill or timeout in that came while its task was running.
 *
 * @returns What the call must return in place of its result, or `undefined` if it may go on.
 */
export function checkpoint(options?: WaitOptions): Promise<never> | undefined {
  if (options !== undefined) {
    try {
      checkOptions(options);
    } catch (error) {
      return Promise.reject(error);
    }
    if (options.signal?.aborted) return Promise.reject(options.signal.reason);
  }
  const pending = pendingError();
  return pending === null ? undefined : Promise.reject(pending.error);
}

function checkOptions(options: WaitOptions): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(
      `Cannot wait: options must be an object such as { timeout: 50 }, not ${shown(options)}`,
    );
  }
  const { timeout, signal } = options;
  if (timeout !== undefined) {
    checkDelay("wait", timeout);
    if (timeout < 0) {
      throw new RangeError(`Cannot wait: timeout must not be negative, not ${timeout}`);
    }
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new TypeError(`Cannot wait: signal must be an AbortSignal, not ${shown(signal)}`);
  }
}

const FALSE: Promise<never> = Promise.resolve(false) as Promise<never>;

/** The call gives `false` when its timeout passes. */
export const givesFalse: Expiry = {
  atOnce: () => FALSE,
  expire: (wait) => wait.wake(false),
};

/** The call throws what `make` makes when its timeout passes. */
export function raises(make: () => unknown): Expiry {
  return {
    atOnce: () => Promise.reject(make()),
    expire: (wait) => wait.raise(make),
  };
}

/** The call throws a {@linkcode TimeoutError} when its timeout passes. */
export const raisesTimeout: Expiry = raises(() =>
  new TimeoutError("The wait took longer than its timeout")
);
