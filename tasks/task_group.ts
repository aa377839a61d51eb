import { checkCallback } from "../loop/arguments.ts";
import { RuntimeError, TaskExit, TimeoutError } from "../loop/errors.ts";
import { Line } from "../loop/line.ts";
import { Scheduler } from "../loop/scheduler.ts";
import type { Level, Scope } from "../loop/interruptions.ts";
import { Strand } from "../loop/strand.ts";
import { checkpoint, givesFalse, raisesTimeout, type WaitOptions } from "../loop/wait.ts";
import { Future, settleCancelled } from "./future.ts";
import { observe, Task } from "./task.ts";
import { AbortScope } from "./abort_scope.ts";
import { Timeout } from "./timeout.ts";

/**
 * Tasks that end together: the group ends when its body and every child have ended, whatever happens. The
 * first failure kills the rest; killing or timing out the task that runs the group kills the children first.
 *
 * A {@linkcode TaskExit} is no failure. A child's error is thrown by the group and not reported besides. After
 * Python's `asyncio.TaskGroup` and trio's nurseries.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { sleep, TaskGroup } from "@evergreen/evergreen";
 *
 * const sum = await TaskGroup.run(async (group) => {
 *   const a = group.submit(async () => (await sleep(2), 1));
 *   const b = group.submit(async () => (await sleep(1), 2));
 *   return await a.get() + await b.get();
 * });
 * assertEquals(sum, 3);
 * ```
 */
export class TaskGroup implements AsyncDisposable {
  readonly #owner: Strand = Strand.current(Scheduler.current());
  readonly #scope: Scope = { interrupted: (error) => this.#interrupted(error) };
  readonly #level: Level = this.#owner.open(this.#scope);
  readonly #children = new Set<Task>();
  readonly #line = new Line<boolean>(() => `TaskGroup.join() of ${this.#names()}`);
  /** Those that the group has killed. A second kill would only hit their cleanup. */
  readonly #killed = new WeakSet<Task>();
  readonly #failures: unknown[] = [];
  /** What was thrown into the owner from outside the group. */
  readonly #interruptions: unknown[] = [];
  /** What is thrown into the body when a child fails. */
  #alarm: unknown = undefined;
  #inRun = false;
  #bodyEnded = false;
  #closed = false;

  /**
   * Runs `body` with a new group, and returns when it and every child have ended. If the body fails, that
   * kills the children.
   *
   * @param options Limits for the whole.
   * @returns What `body` returns.
   * @throws The error of the body or the child that failed; an `AggregateError` if several did.
   * @throws {TimeoutError} If it takes longer than `options.timeout`.
   */
  static async run<T>(
    body: (group: TaskGroup) => Promise<T> | T,
    options?: WaitOptions,
  ): Promise<T> {
    checkCallback("run a task group", body);
    await checkpoint(options);
    if (options?.timeout === 0) return await raisesTimeout.atOnce();
    using time = new Timeout(options?.timeout).start();
    using _signal = new AbortScope(options?.signal);
    const group = new TaskGroup();
    group.#inRun = true;
    let result: T;
    let thrown: { error: unknown } | undefined;
    try {
      result = await body(group);
    } catch (error) {
      thrown = { error };
      group.#killRest();
    }
    try {
      await group.#end(thrown);
    } catch (error) {
      if (error !== time) throw error;
      throw new TimeoutError(`The task group took longer than ${options?.timeout} ms`);
    }
    return result!;
  }

  /**
   * Starts a child.
   *
   * @throws {RuntimeError} If the group has ended.
   */
  spawn<A extends unknown[]>(target: (...args: A) => unknown, ...args: A): Task {
    checkCallback("spawn a task", target);
    const child = new Task(target as (...args: never[]) => unknown, { args });
    return this.#adopt(child, () => {});
  }

  /**
   * Starts a child whose result is asked for. If it is killed, the future is cancelled.
   *
   * @throws {RuntimeError} If the group has ended.
   */
  submit<A extends unknown[], R>(target: (...args: A) => R, ...args: A): Future<Awaited<R>> {
    checkCallback("submit a call", target);
    const future = new Future<Awaited<R>>();
    const child = new Task(async () => {
      if (future.setRunningOrNotifyCancel()) future.setResult(await target(...args));
    });
    this.#adopt(child, (failed, error) => {
      if (failed && !(error instanceof TaskExit)) future.setException(error);
      else settleCancelled(future);
    });
    return future;
  }

  /** Kills every child that is alive. The group goes on, and may start others. */
  kill(error?: unknown): void {
    for (const child of [...this.#children]) child.kill(error);
  }

  /**
   * Waits until no child is alive.
   *
   * @returns `true`, or `false` when the timeout passes.
   */
  join(options?: WaitOptions): Promise<boolean> {
    const refused = checkpoint(options);
    if (refused !== undefined) return refused;
    if (this.#children.size === 0) return Promise.resolve(true);
    return this.#line.wait(givesFalse, options);
  }

  /**
   * Waits for every child, then throws what failed. The first child's error was thrown into the block
   * already, if that was still waiting for something.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#closed) await this.#end();
  }

  #names(): string {
    return [...this.#children].map((task) => task.name).join(", ");
  }

  #adopt(child: Task, ended: (failed: boolean, error: unknown) => void): Task {
    if (this.#closed) throw new RuntimeError("Cannot spawn a task: the group has ended");
    this.#children.add(child);
    observe(child, (failed, error) => {
      this.#children.delete(child);
      ended(failed, error);
      if (failed && !(error instanceof TaskExit)) this.#fail(error);
      if (this.#children.size === 0) this.#line.wakeAll(true);
      return true;
    });
    return child.start();
  }

  /** The first failure kills the rest, and the body if that has not ended. */
  #fail(error: unknown): void {
    this.#failures.push(error);
    if (this.#failures.length > 1) return;
    this.#killRest();
    if (this.#bodyEnded) return;
    // In a block that is left by an error nobody can tell the group which. So there the error itself is thrown.
    this.#alarm = this.#inRun
      ? new TaskExit("A child of the group failed", { cause: error })
      : error;
    this.#owner.throw(this.#alarm, this.#level);
  }

  #interrupted(error: unknown): void {
    this.#interruptions.push(error);
    this.#killRest();
  }

  #killRest(): void {
    for (const child of [...this.#children]) {
      if (this.#killed.has(child)) continue;
      this.#killed.add(child);
      child.kill();
    }
  }

  /** Waits for the children, whatever happens meanwhile, then throws what must be thrown. */
  async #end(thrown?: { error: unknown }): Promise<void> {
    this.#bodyEnded = true;
    const alarmed = this.#alarm !== undefined && !this.#owner.revoke(this.#alarm);
    while (this.#children.size > 0) {
      try {
        await this.#line.wait(givesFalse);
      } catch (error) {
        thrown ??= { error };
      }
    }
    this.#closed = true;
    this.#owner.close(this.#scope);
    const failures = this.#failures;
    if (thrown !== undefined) {
      const { error } = thrown;
      if (
        this.#interruptions.includes(error) || (error instanceof TaskExit && failures.length === 0)
      ) {
        for (const failure of failures) this.#report(failure);
        throw error;
      }
      const known = error instanceof TaskExit || failures.includes(error);
      if (!known) failures.push(error);
    }
    if (failures.length > 1) {
      throw new AggregateError(failures, `${failures.length} tasks of a group failed`);
    }
    if (failures.length === 1 && (this.#inRun || !alarmed)) throw failures[0];
  }

  #report(error: unknown): void {
    const task = this.#owner.task ?? undefined;
    this.#owner.scheduler.report({
      error,
      task,
      message: "Unhandled error in a group that was killed",
    });
  }
}
