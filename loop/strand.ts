import { AsyncLocalStorage } from "node:async_hooks";
import { TaskExit } from "./errors.ts";
import { reapTaskExits } from "./rejections.ts";
import { Scheduler } from "./scheduler.ts";
import { type Blocked, leftBehind, Thrower } from "./blocked.ts";
import type { Ready } from "./ready.ts";
import type { Task } from "../tasks/task.ts";

/** The whole library's one storage: which strand the running code belongs to. Entered once per strand. */
const storage = new AsyncLocalStorage<Strand>();

/** How many errors wait for their strand's next blocking call, in all: nearly always 0, which is quick to see. */
let undelivered = 0;

/** What the strands of tasks run, and who is told how one ended. One object for all tasks. */
export interface Body {
  begin(task: Task): unknown;
  ended(task: Task, failed: boolean, error: unknown): void;
}

/** Where in a strand something was begun: inside how many shields, and after which scopes. */
export interface Level {
  readonly shields: number;
  readonly scopes: number;
}

/** The level of the strand as a whole. */
const GROUND: Level = { shields: 0, scopes: 0 };

/** A part of a strand that is told when an error is thrown into the strand from outside that part. */
export interface Scope {
  /** The error will arrive at the strand's next blocking call at the latest. */
  interrupted(error: unknown): void;
}

interface Pending {
  readonly error: unknown;
  readonly level: Level;
}

/**
 * A line of execution that the scheduler knows: it holds the baton while it runs, and it waits. Every
 * task has one, and there is one for the code outside every task.
 */
export class Strand implements Ready {
  /** Whether it awaits a foreign promise, as far as the scheduler has seen. The scheduler's own to write. */
  foreign = false;
  /** What the scheduler's list of strands that are alive is linked with. */
  previous: Strand | null = null;
  next: Strand | null = null;
  /** Where it waits; nearly always in one place at the most. */
  #wait: Blocked | null = null;
  #others: Set<Blocked> | null = null;
  #pending: Pending[] | null = null;
  #thrown: unknown = undefined;
  #shields = 0;
  #scopes: { scope: Scope; level: Level }[] | null = null;
  #scopesOpened = 0;
  /** Set while it stands in the ready queue by itself: to begin, or because it only gives others their turn. */
  #resume: ((value: unknown) => void) | null = null;
  /** What it is resumed with then: a thrower, if an error came in between. */
  #outcome: Thrower | undefined = undefined;
  #begun: boolean;
  #ended = false;

  constructor(
    readonly scheduler: Scheduler,
    /** Whose strand it is; for the main one, once somebody has asked for the main task. */
    public task: Task | null,
    readonly body: Body | null,
    readonly daemon: boolean,
  ) {
    this.#begun = body === null; // The main strand runs already.
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

  get ended(): boolean {
    return this.#ended;
  }

  /** Whether it has begun to run. */
  get begun(): boolean {
    return this.#begun;
  }

  /** Whether it waits. */
  get blocked(): boolean {
    return this.#wait !== null || (this.#resume !== null && this.#begun);
  }

  /** All that it waits in. */
  waits(): Blocked[] {
    if (this.#wait === null) return [];
    return this.#others === null ? [this.#wait] : [this.#wait, ...this.#others];
  }

  /** How many {@linkcode Strand.prototype.shield} calls it is in. */
  get shields(): number {
    return this.#shields;
  }

  /** Puts it in the ready queue, to begin in the async context of the caller. */
  start(): void {
    this.scheduler.add(this);
    storage.run(this, launch);
    this.#resume = resolver;
    this.scheduler.enqueue(this);
  }

  /** Goes on: the loop calls this when it is its turn. */
  run(): void {
    const resume = this.#resume!;
    const outcome = this.#outcome;
    this.#resume = null;
    this.#outcome = undefined;
    resume(outcome);
  }

  /** Says that it waits for `wait` too. */
  block(wait: Blocked): void {
    if (this.#wait === null) this.#wait = wait;
    else (this.#others ??= new Set()).add(wait);
  }

  /** Says that `wait` is over. */
  unblock(wait: Blocked): void {
    const others = this.#others;
    if (others === null) {
      this.#wait = null;
      this.#thrown = undefined;
      return;
    }
    if (wait === this.#wait) {
      this.#wait = others.values().next().value!;
      others.delete(this.#wait);
    } else {
      others.delete(wait);
    }
    if (others.size === 0) this.#others = null;
  }

  /**
   * Throws `error` out of every call that the strand waits in, or, if there is none, out of its next
   * blocking call. Shields and scopes inside `level` hold it off or are told; those around it are not concerned.
   */
  throw(error: unknown, level: Level = GROUND): void {
    if (this.#ended) return;
    if (error instanceof TaskExit) {
      // One that has not arrived yet ends the task as well, and a second one would only hit its cleanup.
      if (this.#thrown instanceof TaskExit) return;
      if (this.#pending?.some((pending) => pending.error instanceof TaskExit)) return;
      reapTaskExits();
    }
    if (this.#scopes !== null) {
      for (const { scope, level: inner } of this.#scopes.toReversed()) {
        if (inner.scopes > level.scopes && inner.shields <= level.shields) scope.interrupted(error);
      }
    }
    let arrived = false;
    if (this.#shields <= level.shields) {
      if (this.#resume !== null && this.#begun && this.#outcome === undefined) {
        // It keeps its place among what is ready.
        this.#outcome = new Thrower(() => error);
        arrived = true;
      }
      for (const wait of this.waits()) {
        if (wait.interrupt(error)) arrived = true;
      }
    }
    if (arrived) {
      this.#thrown = error;
    } else {
      (this.#pending ??= []).push({ error, level });
      undelivered++;
    }
  }

  /** Takes back what {@linkcode throw} was given. Returns whether it had not been thrown yet. */
  revoke(error: unknown): boolean {
    const index = this.#pending?.findIndex((pending) => pending.error === error) ?? -1;
    if (index >= 0) this.#unpend(index);
    return index >= 0;
  }

  /** What the next blocking call of the strand must throw, taken out. */
  take(): Pending | null {
    const index = this.#pending?.findIndex((pending) => this.#shields <= pending.level.shields) ??
      -1;
    return index >= 0 ? this.#unpend(index) : null;
  }

  /** Holds off what is thrown into it, until {@linkcode unshield}. */
  shield(): void {
    this.#shields++;
  }

  unshield(): void {
    this.#shields--;
  }

  /** Where it is now. */
  level(): Level {
    return { shields: this.#shields, scopes: this.#scopesOpened };
  }

  /** Has `scope` told of what is thrown into the strand from outside of it. Returns the level inside it. */
  open(scope: Scope): Level {
    this.#scopesOpened++;
    const level = this.level();
    (this.#scopes ??= []).push({ scope, level });
    return level;
  }

  close(scope: Scope): void {
    const left = this.#scopes?.filter((open) => open.scope !== scope) ?? [];
    this.#scopes = left.length > 0 ? left : null;
  }

  /** Ends it: what it left behind waiting ends too, silently, and nothing can be thrown into it any more. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (!this.#begun && this.#resume === null) return; // It was not even started.
    undelivered -= this.#pending?.length ?? 0;
    this.#pending = null;
    for (const wait of this.waits()) wait.abandon();
    if (this.#resume !== null) {
      if (this.#begun) {
        reapTaskExits();
        this.#resume(leftBehind);
      }
      this.#resume = null;
    }
    this.scheduler.remove(this);
  }

  /** Ends whatever it waits in with `error`, without the loop, which has ended. */
  refuse(error: unknown): void {
    for (const wait of this.waits()) {
      wait.interrupt(error);
      wait.run();
    }
    if (this.#resume !== null) {
      this.#outcome ??= new Thrower(() => error);
      this.run();
    }
  }

  /** Runs its body. To be called in its own context. */
  begin(): void {
    if (this.#ended) return;
    this.#begun = true;
    try {
      const result = this.body!.begin(this.task!);
      if (result instanceof Promise) result.then(finish, fail);
      else if (isThenable(result)) Promise.resolve(result).then(finish, fail);
      else this.finish(false, undefined);
    } catch (error) {
      this.finish(true, error);
    }
  }

  finish(failed: boolean, error: unknown): void {
    if (this.#ended) return;
    this.end();
    this.body!.ended(this.task!, failed, error);
    this.scheduler.released(this);
  }

  #unpend(index: number): Pending {
    const [pending] = this.#pending!.splice(index, 1);
    if (this.#pending!.length === 0) this.#pending = null;
    undelivered--;
    return pending;
  }
}

/** What the next blocking call of the calling code must throw, taken out. */
export function pendingError(): Pending | null {
  if (undelivered === 0) return null;
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
// attached, so each finds its strand there, and no task pays for closures of its own. It also lets a task
// inherit the other async contexts of the code that started it, tracing for one.

function launch(): void {
  new Promise<unknown>(keepResolver).then(begin);
}

function begin(): void {
  storage.getStore()!.begin();
}

function finish(): void {
  storage.getStore()!.finish(false, undefined);
}

function fail(error: unknown): void {
  storage.getStore()!.finish(true, error);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}
