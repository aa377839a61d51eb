import { RuntimeError } from "../loop/errors.ts";
import { Line } from "../loop/line.ts";
import { Scheduler } from "../loop/scheduler.ts";
import { Strand } from "../loop/strand.ts";
import { checkpoint, givesFalse, type WaitOptions } from "../loop/wait.ts";
import { taskOf } from "../tasks/task.ts";
import { hold, holding } from "./_holding.ts";

const TRUE = Promise.resolve(true);

/** Whether the current task owns a lock. */
export let owns: (lock: RLock) => boolean;

/** Releases a lock however often it was acquired. Returns how often that was. */
export let releaseAll: (lock: RLock) => number;

/** Says how often the current task, which has just acquired a lock, has acquired it. */
export let restore: (lock: RLock, depth: number) => void;

/**
 * A lock that its owner may acquire again, and must release as often. Only its owner may release it. It is
 * Python's `threading.RLock`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { RLock } from "@evergreen/evergreen";
 *
 * const lock = new RLock();
 * const answer = await lock.with(() => lock.with(() => 42));
 * assertEquals(answer, 42);
 * ```
 */
export class RLock {
  #owner: Strand | null = null;
  #depth = 0;
  readonly #line = new Line<boolean>(() => {
    const owner = this.#owner === null ? "nobody" : taskOf(this.#owner).name;
    return `${this.constructor.name}.acquire(), held by ${owner}`;
  });

  static {
    owns = (lock) => lock.#owner === Strand.current(Scheduler.current());
    releaseAll = (lock) => {
      const depth = lock.#depth;
      lock.#handOn();
      return depth;
    };
    restore = (lock, depth) => {
      lock.#depth = depth;
    };
  }

  /** 1 if nobody holds it, else 0. */
  get value(): number {
    return this.#owner === null ? 1 : 0;
  }

  /** Whether somebody holds it. */
  get locked(): boolean {
    return this.#owner !== null;
  }

  /**
   * Acquires it, once more if the task holds it already.
   *
   * @returns `true`, or `false` when the timeout passes.
   */
  acquire(options?: WaitOptions): Promise<boolean> {
    const refused = checkpoint(options);
    if (refused !== undefined) return refused;
    return this.tryAcquire() ? TRUE : this.#line.wait(givesFalse, options);
  }

  /** Acquires it if that can be done without waiting. */
  tryAcquire(): boolean {
    const strand = Strand.current(Scheduler.current());
    if (this.#owner !== null && this.#owner !== strand) return false;
    this.#owner = strand;
    this.#depth++;
    return true;
  }

  /**
   * Releases it once. If that was the last time, who waits longest gets it.
   *
   * @throws {RuntimeError} If the current task does not hold it.
   */
  release(): void {
    if (!owns(this)) {
      const who = this.#owner === null ? "nobody" : `${taskOf(this.#owner).name}, not this task,`;
      throw new RuntimeError(`Cannot release the lock: ${who} holds it`);
    }
    if (--this.#depth === 0) this.#handOn();
  }

  /**
   * Calls `fn` while holding it.
   *
   * @throws {TimeoutError} If it was not free in time.
   */
  with<T>(fn: () => T | Promise<T>, options?: WaitOptions): Promise<T> {
    return holding(this, fn, options);
  }

  /**
   * Acquires it for the rest of a block: `using _ = await lock.hold()`.
   *
   * @throws {TimeoutError} If it was not free in time.
   */
  hold(options?: WaitOptions): Promise<Disposable> {
    return hold(this, options);
  }

  #handOn(): void {
    const first = this.#line.first;
    this.#owner = first?.strand ?? null;
    this.#depth = first === null ? 0 : 1;
    first?.wake(true);
  }
}
