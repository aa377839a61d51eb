import { checkCallback, checkCount, shown } from "../loop/arguments.ts";
import { RuntimeError } from "../loop/errors.ts";
import { Line } from "../loop/line.ts";
import { checkpoint, givesFalse, type WaitOptions } from "../loop/wait.ts";
import { remaining } from "../tasks/executor.ts";
import { shield } from "../tasks/shield.ts";
import { hold, holding } from "./_holding.ts";
import { owns, releaseAll, restore, RLock } from "./rlock.ts";
import { Semaphore } from "./semaphore.ts";

/**
 * Waits for something that is guarded by a lock to become true, and tells those who wait. It is Python's
 * `threading.Condition`.
 *
 * A wait gives the lock up and always has it again when it returns or throws, also when the task was killed
 * meanwhile, so that whoever releases it afterwards does release it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Condition, spawn } from "@evergreen/evergreen";
 *
 * const changed = new Condition();
 * let stock = 0;
 * const buyer = spawn(() =>
 *   changed.with(async () => {
 *     await changed.waitFor(() => stock > 0);
 *     stock--;
 *   })
 * );
 * await changed.with(() => {
 *   stock = 3;
 *   changed.notify();
 * });
 * await buyer.join();
 * assertEquals(stock, 2);
 * ```
 */
export class Condition {
  readonly #lock: Semaphore | RLock;
  readonly #line = new Line<boolean>(() => "Condition.wait()");

  /**
   * Makes a condition.
   *
   * @param lock What guards the state; several conditions may share one. The default is an {@linkcode RLock} of
   * its own.
   */
  constructor(lock: Semaphore | RLock = new RLock()) {
    if (!(lock instanceof Semaphore) && !(lock instanceof RLock)) {
      throw new TypeError(`Cannot make a condition: a lock is needed, not ${shown(lock)}`);
    }
    this.#lock = lock;
  }

  /** Acquires the lock. */
  acquire(options?: WaitOptions): Promise<boolean> {
    return this.#lock.acquire(options);
  }

  /** Acquires the lock if that can be done without waiting. */
  tryAcquire(): boolean {
    return this.#lock.tryAcquire();
  }

  /** Releases the lock. */
  release(): void {
    this.#lock.release();
  }

  /** Calls `fn` while holding the lock. */
  with<T>(fn: () => T | Promise<T>, options?: WaitOptions): Promise<T> {
    return holding(this.#lock, fn, options);
  }

  /** Acquires the lock for the rest of a block: `using _ = await condition.hold()`. */
  hold(options?: WaitOptions): Promise<Disposable> {
    return hold(this.#lock, options);
  }

  /**
   * Releases the lock, waits to be notified, and acquires the lock again.
   *
   * @returns `true`, or `false` when the timeout passes. It counts for the notification only.
   * @throws {RuntimeError} If the lock is not held.
   */
  wait(options?: WaitOptions): Promise<boolean> {
    const refused = checkpoint(options);
    if (refused !== undefined) return refused;
    return this.#wait(options);
  }

  /**
   * Waits until `predicate` holds; it is asked at first and whenever the condition is notified, with the lock
   * held.
   *
   * @returns What `predicate` said last: `false` when the timeout passes.
   * @throws {RuntimeError} If the lock is not held.
   */
  async waitFor(predicate: () => boolean, options?: WaitOptions): Promise<boolean> {
    checkCallback("wait for a predicate", predicate);
    await checkpoint(options);
    this.#checkHeld("wait");
    const left = remaining(options);
    while (!predicate()) {
      if (!await this.#wait(left())) return predicate();
    }
    return true;
  }

  /**
   * Wakes the tasks that wait longest.
   *
   * @param n How many.
   * @throws {RuntimeError} If the lock is not held.
   */
  notify(n = 1): void {
    checkCount("The number of tasks to notify", n, 0);
    this.#checkHeld("notify");
    for (let left = n; left > 0 && this.#line.first !== null; left--) this.#line.first.wake(true);
  }

  /**
   * Wakes all who wait.
   *
   * @throws {RuntimeError} If the lock is not held.
   */
  notifyAll(): void {
    this.#checkHeld("notify");
    this.#line.wakeAll(true);
  }

  async #wait(options: WaitOptions | undefined): Promise<boolean> {
    this.#checkHeld("wait");
    const lock = this.#lock;
    // In line before the lock is free, so that no notification can come in between.
    const notified = this.#line.wait(givesFalse, options);
    const depth = lock instanceof RLock ? releaseAll(lock) : (lock.release(), 1);
    try {
      return await notified;
    } finally {
      await shield(() => lock.acquire());
      if (lock instanceof RLock) restore(lock, depth);
    }
  }

  #checkHeld(what: string): void {
    const held = this.#lock instanceof RLock ? owns(this.#lock) : this.#lock.value === 0;
    if (!held) throw new RuntimeError(`Cannot ${what}: the lock of the condition is not held`);
  }
}
