import { RuntimeError } from "../loop/errors.ts";
import { Scheduler } from "../loop/scheduler.ts";
import { Strand } from "../loop/strand.ts";
import type { WaitOptions } from "../loop/wait.ts";
import { taskOf } from "../tasks/task.ts";
import { lineOf, Semaphore } from "./semaphore.ts";

/**
 * A lock: held by at most one task at a time, and handed to the one that waits longest. Any task may release
 * it. It is Python's `threading.Lock`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Lock, sleep, spawn } from "@evergreen/evergreen";
 *
 * const lock = new Lock();
 * let balance = 0;
 * const deposit = async () => {
 *   using _ = await lock.hold();
 *   const before = balance;
 *   await sleep(1);
 *   balance = before + 1;
 * };
 * const tasks = [spawn(deposit), spawn(deposit)];
 * for (const task of tasks) await task.join();
 * assertEquals(balance, 2);
 * ```
 */
export class Lock extends Semaphore {
  /** Who acquired it last, for reports. */
  #holder: Strand | null = null;

  /** Makes a lock that nobody holds. */
  constructor() {
    super(1);
  }

  /** Whether somebody holds it. */
  get locked(): boolean {
    return this.value === 0;
  }

  /**
   * Acquires the lock, and waits for it if it is held, by the current task too.
   *
   * @returns `true`, or `false` when the timeout passes.
   */
  override acquire(options?: WaitOptions): Promise<boolean> {
    const free = this.value;
    const acquired = super.acquire(options);
    if (this.value < free) this.#holder = Strand.current(Scheduler.current());
    return acquired;
  }

  /** Acquires the lock if nobody holds it. Does not wait. */
  override tryAcquire(): boolean {
    const acquired = super.tryAcquire();
    if (acquired) this.#holder = Strand.current(Scheduler.current());
    return acquired;
  }

  /**
   * Releases it, to who waits longest.
   *
   * @throws {RuntimeError} If nobody holds it.
   */
  override release(): void {
    if (this.value > 0) throw new RuntimeError("Cannot release the lock: nobody holds it");
    this.#holder = lineOf(this).first?.strand ?? null;
    super.release();
  }

  /** What a task waits for here, and who holds it, as a deadlock report says it. */
  protected override describe(): string {
    const holder = this.#holder === null ? "nobody" : taskOf(this.#holder).name;
    return `${super.describe()}, held by ${holder}`;
  }
}
