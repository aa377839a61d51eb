import type { Line } from "./line.ts";
import { checkDelay, shown } from "./arguments.ts";
import { type Blocked, leftBehind, Locator, type Reason, Thrower } from "./blocked.ts";
import { recordLate, TimeoutError } from "./errors.ts";
import type { Ready } from "./ready.ts";
import { reapTaskExits } from "./rejections.ts";
import type { Scheduler } from "./scheduler.ts";
import { pendingError, Strand } from "./strand.ts";
import type { Due } from "./timers.ts";

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
  expire(wait: Wait, timeout: number): void;
}

const WAITING = 0;
const WOKEN = 1;
const THROWN = 2;
/** As thrown, and the value is a function that makes the error. */
const RAISED = 3;
const OVER = 4;

/** Somebody in a {@linkcode Line}: a wait, or one of the cases of a select. */
// deno-lint-ignore no-explicit-any
export interface Waiter<T = any> {
  readonly strand: Strand;
  /** The line it stands in, and its neighbours there; the line's own to write. */
  // deno-lint-ignore no-explicit-any
  line: Line<any> | null;
  ahead: Waiter | null;
  behind: Waiter | null;
  /** What it brought along: the item of a put, the value of a send. */
  offer: unknown;
  wake(value: T): void;
  throw(error: unknown): void;
  /**
   * Fails with a new error, which `make` makes. It is called where the promise settles: the error then has the
   * stack of the code that waits, not that of a timer.
   */
  raise(make: () => unknown): void;
}

let resolver: (value: unknown) => void;
// A constant, unlike a declared function, is inlined into the promise's constructor.
const keepResolver = (resolve: (value: unknown) => void): void => {
  resolver = resolve;
};

/** What ends a wait early: a time, a signal, or both. */
class Limits implements Due, EventListenerObject {
  armed = false;
  /** It keeps no `run()` going by itself: the task that waits does, unless it is a daemon. */
  readonly background = true;

  constructor(
    readonly wait: Wait,
    readonly expiry: Expiry,
    readonly timeout: number,
    readonly signal: AbortSignal | undefined,
  ) {
    signal?.addEventListener("abort", this, { once: true });
  }

  due(): void {
    this.wait.expire(this.expiry, this.timeout);
  }

  handleEvent(): void {
    this.wait.interrupt(this.signal!.reason);
  }

  close(): void {
    if (this.armed) this.wait.strand.scheduler.timers.cancel(this);
    this.signal?.removeEventListener("abort", this);
  }
}

/**
 * One blocking call that waits. It is made when the call blocks and is ended once, by whoever comes first: a
 * wake-up, a kill, a timeout, an abort. In that same step it leaves all it stands in. Then it is queued, and
 * the loop settles its promise when its turn has come.
 */
// deno-lint-ignore no-explicit-any
export class Wait<T = any> implements Blocked, Waiter<T>, Waker<T>, Ready {
  // One of these is made for each switch. Fields that are written once, in the constructor, and have no private
  // names make that a fifth faster; so here they are private to the compiler only.
  readonly strand: Strand;
  readonly reason: Reason;
  readonly source: Source;
  /** What the caller awaits. */
  readonly promise: Promise<T>;
  private resolve: (value: unknown) => void;
  private state: number;
  /** What it brought along while it waits, then what it is resumed with. */
  private value: unknown;
  private limits: Limits | null;
  private leave: (() => void) | null;
  // deno-lint-ignore no-explicit-any
  line: Line<any> | null;
  ahead: Waiter | null;
  behind: Waiter | null;

  private constructor(strand: Strand, reason: Reason, source: Source, offer: unknown) {
    this.strand = strand;
    this.reason = reason;
    this.source = source;
    this.promise = new Promise<T>(keepResolver as never);
    this.resolve = resolver;
    this.state = WAITING;
    this.value = offer;
    this.limits = null;
    this.leave = null;
    this.line = null;
    this.ahead = null;
    this.behind = null;
  }

  /** Makes the calling strand wait, and gives up its baton. */
  static begin<T>(scheduler: Scheduler, reason: Reason, source: Source, offer?: unknown): Wait<T> {
    return Wait.beginOf(Strand.current(scheduler), reason, source, offer);
  }

  /** Makes `strand` wait, and gives up its baton. For who does that later than in the call that waits. */
  static beginOf<T>(strand: Strand, reason: Reason, source: Source, offer?: unknown): Wait<T> {
    const { scheduler } = strand;
    const wait = new Wait<T>(strand, reason, source, offer);
    strand.block(wait);
    if (source !== TASK) scheduler.census.waits[source]++;
    scheduler.released(strand);
    return wait;
  }

  get offer(): unknown {
    return this.state === WAITING ? this.value : undefined;
  }

  set offer(offer: unknown) {
    if (this.state === WAITING) this.value = offer;
  }

  get done(): boolean {
    return this.state !== WAITING;
  }

  wake(value: T): void {
    if (this.state === WAITING) this.end(WOKEN, value);
  }

  throw(error: unknown): void {
    if (this.state === WAITING) this.end(THROWN, error);
  }

  raise(make: () => unknown): void {
    if (this.state === WAITING) this.end(RAISED, make);
  }

  interrupt(error: unknown): boolean {
    if (this.state !== WAITING) return false;
    const leave = this.leave;
    this.end(THROWN, error);
    if (leave !== null) this.left(leave);
    return true;
  }

  /** Its timeout has passed. */
  expire(expiry: Expiry, timeout: number): void {
    const leave = this.leave;
    expiry.expire(this, timeout);
    if (leave !== null) this.left(leave);
  }

  abandon(): void {
    if (this.state !== WAITING) return this.run();
    const leave = this.leave;
    this.strand.unblock(this);
    this.leaveAll();
    this.state = OVER;
    reapTaskExits();
    this.resolve(leftBehind);
    if (leave !== null) this.left(leave);
  }

  drop(): void {
    const { leave } = this;
    if (this.state === WAITING) this.leaveAll();
    this.state = OVER;
    if (leave !== null) this.left(leave);
  }

  /** Settles the promise: the loop does this, when it is this strand's turn. */
  run(): void {
    const state = this.state;
    if (state === OVER) return;
    this.state = OVER;
    this.strand.unblock(this);
    const value = this.value;
    if (state <= WOKEN) this.resolve(value);
    else if (state === THROWN) this.resolve(new Thrower(() => value));
    else this.resolve(new Thrower(value as () => unknown, true));
  }

  /** Calls `leave` if the wait ends in any other way than by {@linkcode wake} or {@linkcode throw}. */
  onLeave(leave: () => void): void {
    if (this.state === WAITING) this.leave = leave;
  }

  /** Ends the wait when one of the limits is reached. */
  limit(options: WaitOptions, expiry: Expiry): void {
    const { timeout, signal } = options;
    if (this.state !== WAITING || (timeout === undefined && signal === undefined)) return;
    this.limits = new Limits(this, expiry, timeout ?? Infinity, signal);
    if (timeout !== undefined) this.strand.scheduler.timerIn(timeout, this.limits);
  }

  locate(found: (stack: string) => void): void {
    this.resolve(new Locator(found, (resolve) => this.resolve = resolve));
  }

  private left(leave: () => void): void {
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

  private end(state: number, value: unknown): void {
    this.leaveAll();
    this.state = state;
    this.value = value;
    this.strand.scheduler.enqueue(this);
  }

  /** Leaves everything it stands in. */
  private leaveAll(): void {
    if (this.source !== TASK) this.strand.scheduler.census.waits[this.source]--;
    if (this.line !== null) this.line.remove(this);
    if (this.limits !== null) {
      this.limits.close();
      this.limits = null;
    }
    this.leave = null;
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
  if (pending === null) return undefined;
  recordLate(pending.error, checkpoint);
  return Promise.reject(pending.error);
}

/** Throws if the options make no sense. */
export function checkOptions(options: WaitOptions): void {
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
export const raisesTimeout: Expiry = {
  atOnce: () =>
    Promise.reject(new TimeoutError("The call would have to wait, and its timeout is 0")),
  expire: (wait, timeout) => {
    // What it waits for is asked now: when the error is made it is not there any more.
    const reason = wait.reason.describe();
    wait.raise(() => new TimeoutError(`${reason} took longer than ${timeout} ms`));
  },
};
