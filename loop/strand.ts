import { isThenable } from "./thenable.ts";
import { AsyncLocalStorage } from "node:async_hooks";
import { type Blocked, leftBehind } from "./blocked.ts";
import {
  anyPending,
  GROUND,
  Interruptions,
  type Level,
  type Pending,
  type Scope,
} from "./interruptions.ts";
import type { Ready } from "./ready.ts";
import { reapTaskExits } from "./rejections.ts";
import { Scheduler } from "./scheduler.ts";
import type { Task } from "../tasks/task.ts";

/** The platform's own, whatever a program puts in its place later. */
const PlatformPromise = globalThis.Promise;

/** The whole library's one storage: which strand the running code belongs to. Entered once per strand. */
const storage = new AsyncLocalStorage<Strand>();

/** What the strands of tasks run, and who is told how one ended. One object for all tasks. */
export interface Body {
  begin(task: Task): unknown;
  ended(task: Task, failed: boolean, error: unknown): void;
}

const DAEMON = 1;
const BEGUN = 2;
const ENDED = 4;
const FOREIGN = 8;
const STARTED = 16;

/**
 * A line of execution that the scheduler knows: it holds the baton while it runs, and it waits. Every
 * task has one, and there is one for the code outside every task.
 */
export class Strand implements Ready {
  /** What the scheduler's list of strands that are alive is linked with. */
  previous: Strand | null = null;
  next: Strand | null = null;
  #flags: number;
  /** Where it waits; nearly always in one place at the most. */
  #wait: Blocked | Set<Blocked> | null = null;
  /** Set while it stands in the ready queue by itself: to begin, or because it only gives others their turn. */
  #resume: ((value: unknown) => void) | null = null;
  #interruptions: Interruptions | null = null;

  constructor(
    readonly scheduler: Scheduler,
    /** Whose strand it is; for the main one, once somebody has asked for the main task. */
    public task: Task | null,
    readonly body: Body | null,
    daemon: boolean,
  ) {
    this.#flags = (daemon ? DAEMON : 0) | (body === null ? STARTED | BEGUN : 0);
  }

  /** The strand that the calling code belongs to, the loop's main one outside every task. */
  static current(scheduler: Scheduler): Strand {
    const strand = storage.getStore();
    // A context can outlive its task (a dynamic import leaks it, a promise left behind keeps it) and its
    // loop. Then it is nobody's.
    if (strand === undefined || strand.ended || strand.scheduler !== scheduler) {
      return scheduler.main;
    }
    return strand;
  }

  /** Whether the calling code runs in no strand's context at all. */
  static get outside(): boolean {
    return storage.getStore() === undefined;
  }

  /** Lets all that is ready already have its turn before the calling strand goes on. */
  static yield(scheduler: Scheduler): Promise<void> {
    const strand = Strand.current(scheduler);
    const promise = new Promise<unknown>(keepResolver) as Promise<void>;
    if (strand.#resume === null) {
      strand.#resume = resolver;
      scheduler.enqueue(strand);
    } else {
      scheduler.enqueue(new Turn(strand, resolver)); // It does so in several places at once.
    }
    scheduler.released(strand);
    return promise;
  }

  /** As a thing that is ready, it is its own. */
  get strand(): Strand {
    return this;
  }

  get daemon(): boolean {
    return (this.#flags & DAEMON) !== 0;
  }

  /** Whether {@linkcode start} was called. */
  get started(): boolean {
    return (this.#flags & STARTED) !== 0;
  }

  /** Whether it has begun to run. */
  get begun(): boolean {
    return (this.#flags & BEGUN) !== 0;
  }

  get ended(): boolean {
    return (this.#flags & ENDED) !== 0;
  }

  /** Whether it awaits a foreign promise, as far as the scheduler has seen. */
  get foreign(): boolean {
    return (this.#flags & FOREIGN) !== 0;
  }

  set foreign(foreign: boolean) {
    this.#flags = foreign ? this.#flags | FOREIGN : this.#flags & ~FOREIGN;
  }

  /** Whether it is ready, and only gives others their turn. */
  get yielding(): boolean {
    return this.#resume !== null && this.begun;
  }

  /** Whether it waits. */
  get blocked(): boolean {
    return this.#wait !== null || this.yielding;
  }

  /** All that it waits in. */
  waits(): Blocked[] {
    const wait = this.#wait;
    if (wait === null) return [];
    return wait instanceof Set ? [...wait] : [wait];
  }

  /** Puts it in the ready queue, to begin in the async context of the caller. */
  start(): void {
    this.#flags |= STARTED;
    if (this.ended) return; // It was killed before.
    this.scheduler.add(this);
    // Its context is entered when it begins, not now: a context is the dearest thing that a task has, and of many
    // that are started together most have ended before the last begins. The promise keeps the caller's other
    // async contexts for it, tracing for one.
    new Promise<unknown>(keepResolver).then(begin as (strand: unknown) => void);
    this.#resume = resolver;
    this.scheduler.enqueue(this);
  }

  /** Goes on: the loop calls this when it is its turn. */
  run(): void {
    const resume = this.#resume!;
    this.#resume = null;
    resume(this.begun ? undefined : this);
  }

  /** Says that it waits for `wait` too. */
  block(wait: Blocked): void {
    const others = this.#wait;
    if (others === null) this.#wait = wait;
    else if (others instanceof Set) others.add(wait);
    else this.#wait = new Set([others, wait]);
  }

  /** Says that `wait` is over. */
  unblock(wait: Blocked): void {
    if (this.#interruptions !== null) this.#interruptions.arrive();
    if (this.#wait === wait) {
      this.#wait = null;
      return;
    }
    const waits = this.#wait as Set<Blocked>;
    waits.delete(wait);
    if (waits.size === 1) this.#wait = waits.values().next().value!;
  }

  /**
   * Throws `error` out of every call that the strand waits in, or, if there is none, out of its next
   * blocking call. Shields and scopes inside `level` hold it off or are told; those around it are not concerned.
   */
  throw(error: unknown, level: Level = GROUND): void {
    if (!this.ended) this.interruptible().throw(error, level);
  }

  /** Takes back what {@linkcode throw} was given. Returns whether it had not been thrown yet. */
  revoke(error: unknown): boolean {
    return this.#interruptions?.revoke(error) ?? false;
  }

  /** What the next blocking call of the strand must throw, taken out. */
  take(): Pending | null {
    return this.#interruptions?.take() ?? null;
  }

  /** Whether it is shielded. */
  get shielded(): boolean {
    return this.#interruptions !== null && this.#interruptions.shields > 0;
  }

  /** Holds off what is thrown into it, until {@linkcode unshield}. */
  shield(): void {
    this.interruptible().shield();
  }

  unshield(): void {
    this.interruptible().unshield();
  }

  /** Where it is now. */
  level(): Level {
    return this.#interruptions?.level() ?? GROUND;
  }

  /** Has `scope` told of what is thrown into the strand from outside of it. Returns the level inside it. */
  open(scope: Scope): Level {
    return this.interruptible().open(scope);
  }

  close(scope: Scope): void {
    this.interruptible().close(scope);
  }

  /** Ends it: what it left behind waiting ends too, silently, and nothing can be thrown into it any more. */
  end(): void {
    if (this.ended) return;
    this.#flags |= ENDED;
    if (!this.started) return;
    this.#interruptions?.clear();
    for (const wait of this.waits()) wait.abandon();
    if (this.yielding) {
      reapTaskExits();
      this.#resume!(leftBehind);
    }
    this.#resume = null;
    this.scheduler.census.remove(this);
  }

  /** Forgets it, with its loop: it leaves all it waits in, and never runs again. */
  drop(): void {
    this.#flags |= ENDED;
    this.#interruptions?.clear();
    for (const wait of this.waits()) wait.drop();
    this.#resume = null;
  }

  /** Ends whatever it waits in with `error`, without the loop, which has ended. */
  refuse(error: unknown): void {
    for (const wait of this.waits()) {
      wait.interrupt(error);
      wait.run();
    }
    if (this.yielding) this.run();
  }

  /** Runs its body. To be called in its own context. */
  begin(): void {
    if (this.ended) return;
    this.#flags |= BEGUN;
    try {
      const result = this.body!.begin(this.task!);
      if (result instanceof PlatformPromise && result.constructor === PlatformPromise) {
        result.then(finish, fail);
      } else if (isThenable(result)) {
        adopt(result);
      } else {
        this.finish(false, undefined);
      }
    } catch (error) {
      this.finish(true, error);
    }
  }

  finish(failed: boolean, error: unknown): void {
    if (this.ended) return;
    this.end();
    this.body!.ended(this.task!, failed, error);
    this.scheduler.released(this);
  }

  private interruptible(): Interruptions {
    return this.#interruptions ??= new Interruptions(this);
  }
}

/** What the next blocking call of the calling code must throw, taken out. */
export function pendingError(): Pending | null {
  if (!anyPending()) return null;
  const strand = storage.getStore();
  if (strand !== undefined && !strand.ended) return strand.take();
  return Scheduler.current().main.take();
}

/** One more place in which a strand gives others their turn. */
class Turn implements Ready {
  constructor(readonly strand: Strand, readonly resume: (value: undefined) => void) {}

  run(): void {
    this.resume(undefined);
  }
}

let resolver: (value: unknown) => void;
// A constant, unlike a declared function, is inlined into the promise's constructor.
const keepResolver = (resolve: (value: unknown) => void): void => {
  resolver = resolve;
};

// The handlers below are shared by all strands: a promise's handlers run in the context in which they were
// attached, so each finds its strand there, and no task pays for closures of its own.

function begin(strand: Strand): void {
  storage.run(strand, enter, strand);
}

function enter(strand: Strand): void {
  strand.begin();
}

/** Awaits what is a promise of its own kind: one that is awaited may do other things than one that is asked. */
async function adopt(result: PromiseLike<unknown>): Promise<void> {
  try {
    await result;
  } catch (error) {
    return fail(error);
  }
  finish();
}

function finish(): void {
  storage.getStore()!.finish(false, undefined);
}

function fail(error: unknown): void {
  storage.getStore()!.finish(true, error);
}
