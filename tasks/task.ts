import { checkCallback, shown } from "../loop/arguments.ts";
import { RuntimeError, TaskExit } from "../loop/errors.ts";
import { Line } from "../loop/line.ts";
import { Scheduler } from "../loop/scheduler.ts";
import { type Body, Strand } from "../loop/strand.ts";
import { checkpoint, givesFalse, type WaitOptions } from "../loop/wait.ts";
import { isOnlyTheKill } from "./_only_the_kill.ts";
import { type Selectable, selectable } from "./selectable.ts";

/** How a task is made. */
export interface TaskOptions {
  /** What its target is called with. */
  args?: unknown[];
  /**
   * Its name in reports.
   *
   * @default {"Task-N"}
   */
  name?: string;
  /** Whether the loop's `run()` may end without it. */
  daemon?: boolean;
}

/** Where a task is in its life. */
export type TaskState = "initial" | "started" | "running" | "waiting" | "ended";

/** Is told how a task ended. If it returns true, an error is not reported besides. */
export type Observer = (failed: boolean, error: unknown) => boolean;

class Extras {
  observer: Observer | null = null;
  abort: AbortController | null = null;
  killed: { readonly error: unknown } | null = null;
}

const TRUE = Promise.resolve(true);
let count = 0;

/** The strand that the next task stands before, where it was there before its task. */
let adopted: Strand | null = null;

let body: Body;

/** Has `observer` told how `task` ends. */
export let observe: (task: Task, observer: Observer) => void;

/** Aborts the signal of a task that was killed, unless it is shielded. */
export let abortIfKilled: (task: Task) => void;

/**
 * A task: it looks like a thread, and only one of them runs at a time. It goes on until it makes a blocking
 * call, and is resumed when what it waits for has come. It can be killed wherever it waits.
 *
 * Subclasses may override {@linkcode Task.prototype.run}; {@linkcode spawn} is the short way. The interface
 * is that of Python's `threading.Thread`.
 *
 * @example
 * ```ts
 * import { assert, assertEquals } from "@std/assert";
 * import { sleep, Task } from "@evergreen/evergreen";
 *
 * const log: string[] = [];
 * const worker = new Task(async (greeting: string) => {
 *   try {
 *     log.push(greeting);
 *     await sleep(60_000);
 *   } finally {
 *     log.push("cleaned up");
 *   }
 * }, { args: ["hello"], name: "worker" }).start();
 *
 * await sleep(0);
 * worker.kill();
 * assert(await worker.join());
 * assertEquals(log, ["hello", "cleaned up"]);
 * ```
 */
export class Task {
  readonly #strand: Strand;
  #parent: Strand | WeakRef<Strand> | null;
  #name: string | number;
  #target: ((...args: never[]) => unknown) | undefined;
  #args: unknown[] | undefined;
  #joiners: Line<boolean> | null = null;
  /** What few tasks have. */
  #extras: Extras | null = null;

  /**
   * Makes a task, to be started by {@linkcode Task.prototype.start}.
   *
   * @param target What it runs; a subclass may override `run` in its place.
   * @throws {TypeError} If `target` is no function.
   */
  constructor(target?: (...args: never[]) => unknown, options?: TaskOptions) {
    if (adopted !== null) {
      this.#strand = adopted;
      this.#parent = null;
      this.#name = "MainTask";
      return;
    }
    if (target !== undefined) checkCallback("make a task", target);
    const scheduler = Scheduler.current();
    this.#parent = Strand.current(scheduler);
    this.#strand = new Strand(scheduler, this, body, options?.daemon ?? false);
    this.#name = options?.name ?? ++count;
    this.#target = target;
    this.#args = options?.args;
    if (options !== undefined) checkTaskOptions(options);
  }

  /** The task that the calling code runs in; outside every task, the main task. */
  static current(): Task {
    return taskOf(Strand.current(Scheduler.current()));
  }

  /** Its name, for reports: "Task-1", "Task-2" and so on unless it was given one. */
  get name(): string {
    return typeof this.#name === "number" ? `Task-${this.#name}` : this.#name;
  }

  /** Whether the loop's `run()` may end without it. */
  get daemon(): boolean {
    return this.#strand.daemon;
  }

  /**
   * The task that made it; `null` for the main task. When both have ended it may be `null` too, once nothing else
   * holds the parent.
   */
  get parent(): Task | null {
    const parent = this.#parent instanceof WeakRef ? this.#parent.deref() : this.#parent;
    return parent ? taskOf(parent) : null;
  }

  /** Where it is in its life. One that awaits a foreign promise counts as running. */
  get state(): TaskState {
    const strand = this.#strand;
    if (strand.ended) return "ended";
    if (!strand.started) return "initial";
    if (!strand.begun) return "started";
    return strand.blocked ? "waiting" : "running";
  }

  /**
   * Aborted when the task is killed, with the error it is killed with as its reason. Hand it to `fetch` and
   * whatever else takes a signal. A kill that a {@linkcode shield} holds off aborts it afterwards.
   */
  get signal(): AbortSignal {
    const extras = this.#extras ??= new Extras();
    if (extras.abort === null) {
      extras.abort = new AbortController();
      this.#abortIfKilled();
    }
    return extras.abort.signal;
  }

  /** Whether it has started and not ended. */
  isAlive(): boolean {
    return this.#strand.started && !this.#strand.ended;
  }

  /**
   * Sees to it that the loop runs it, when its turn has come.
   *
   * @throws {RuntimeError} If it was started before, or its loop has ended.
   */
  start(): this {
    if (this.#strand.started) {
      throw new RuntimeError(
        `Cannot start ${this.name}: a task can be started only once, and it was`,
      );
    }
    const { scheduler } = this.#strand;
    if (!scheduler.accepts) {
      throw new RuntimeError(
        `Cannot start ${this.name}: its event loop has ended; destroy() it, and make tasks on a new one`,
      );
    }
    this.#strand.start();
    return this;
  }

  /** What the task does: it calls its target. Subclasses may override it; what it returns is dropped. */
  run(): unknown {
    const target = this.#target;
    const args = this.#args;
    this.#target = this.#args = undefined;
    return args === undefined ? target?.() : target?.(...(args as never[]));
  }

  /**
   * Waits until the task has ended, however it ends.
   *
   * @returns `true`, or `false` when the timeout passes.
   * @throws {RuntimeError} If it was not started, or a task joins itself.
   */
  join(options?: WaitOptions): Promise<boolean> {
    const refused = checkpoint(options);
    if (refused !== undefined) return refused;
    if (this.#strand.ended) return TRUE;
    try {
      this.#checkJoinable();
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#line().wait(givesFalse, options);
  }

  /** {@linkcode Task.prototype.join} as a case of {@linkcode select}; it gives `true`. */
  joining(): Selectable<true> {
    return selectable<true>({
      poll: () => {
        if (this.#strand.ended) return { value: true };
        this.#checkJoinable();
        return null;
      },
      enlist: (waiter) => this.#line().add(waiter),
      describe: () => this.#describeJoin(),
    });
  }

  /**
   * Throws `error` out of the call that the task waits in. If it runs, or was woken already, that call
   * succeeds and the error comes at its next blocking call. If it has not run yet it ends without running.
   * One that has ended does not mind.
   *
   * The task ends in its own time: its `finally` blocks run, and may block. {@linkcode Task.prototype.join}
   * waits for that.
   *
   * @param error What is thrown; the default is a new {@linkcode TaskExit}, which is never reported.
   */
  kill(error: unknown = new TaskExit()): void {
    const strand = this.#strand;
    if (strand.ended) return;
    const extras = this.#extras ??= new Extras();
    extras.killed ??= { error };
    if (!strand.begun) {
      strand.end();
      this.#ended(false, undefined);
    } else {
      strand.throw(error);
    }
    this.#abortIfKilled();
  }

  /** Its class and name, and where it is in its life. */
  [Symbol.for("Deno.customInspect")](): string {
    return `${this.constructor.name} { ${this.name}, ${this.state} }`;
  }

  #line(): Line<boolean> {
    return this.#joiners ??= new Line(() => this.#describeJoin());
  }

  #describeJoin(): string {
    return `Task.join() of ${this.name}`;
  }

  #checkJoinable(): void {
    if (!this.#strand.started) {
      throw new RuntimeError(`Cannot join ${this.name}: it has not been started`);
    }
    if (this.#strand === Strand.current(Scheduler.current())) {
      throw new RuntimeError(
        `Cannot join ${this.name}: a task that joins itself would wait for ever`,
      );
    }
    if (this.#strand === this.#strand.scheduler.main) {
      throw new RuntimeError("Cannot join the main task: it is the program itself");
    }
  }

  #abortIfKilled(): void {
    const extras = this.#extras;
    if (extras === null || extras.killed === null || this.#strand.shielded) return;
    extras.abort?.abort(extras.killed.error);
  }

  #ended(failed: boolean, error: unknown): void {
    this.#target = this.#args = undefined;
    // Else a task that starts its own successor would keep all its ancestors.
    if (this.#parent instanceof Strand && this.#parent.ended) {
      this.#parent = new WeakRef(this.#parent);
    }
    this.#joiners?.wakeAll(true);
    const kill = this.#extras?.killed?.error;
    if (failed && kill instanceof TaskExit && isOnlyTheKill(error, kill)) error = kill;
    const taken = this.#extras?.observer?.(failed, error) ?? false;
    if (!failed || taken || error instanceof TaskExit) return;
    this.#strand.scheduler.report({
      error,
      task: this,
      message: `Unhandled error in ${this.name}`,
    });
  }

  static {
    body = {
      begin: (task) => task.run(),
      ended: (task, failed, error) => task.#ended(failed, error),
    };
    observe = (task, observer) => {
      (task.#extras ??= new Extras()).observer = observer;
    };
    abortIfKilled = (task) => task.#abortIfKilled();
  }
}

/** The task of a strand; the main strand's is made when it is first asked for. */
export function taskOf(strand: Strand): Task {
  if (strand.task === null) {
    adopted = strand;
    try {
      strand.task = new Task();
    } finally {
      adopted = null;
    }
  }
  return strand.task;
}

function checkTaskOptions(options: TaskOptions): void {
  const { args, name, daemon } = options;
  if (args !== undefined && !Array.isArray(args)) {
    throw new TypeError(`Cannot make a task: args must be an array, not ${shown(args)}`);
  }
  if (name !== undefined && typeof name !== "string") {
    throw new TypeError(`Cannot make a task: name must be a string, not ${shown(name)}`);
  }
  if (daemon !== undefined && typeof daemon !== "boolean") {
    throw new TypeError(`Cannot make a task: daemon must be true or false, not ${shown(daemon)}`);
  }
}
