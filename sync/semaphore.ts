import { checkCount } from "../loop/arguments.ts";
import { Line } from "../loop/line.ts";
import { checkpoint, givesFalse, type WaitOptions } from "../loop/wait.ts";
import { hold, holding } from "./_holding.ts";

const TRUE = Promise.resolve(true);

/** The line of a semaphore's waiters, for the locks that are made of one. */
export let lineOf: (semaphore: Semaphore) => Line<boolean>;

/**
 * So many permits, which tasks acquire and release. A permit that is released goes to the task that waits
 * longest; nobody overtakes. A task that is killed, times out or is aborted while it waits holds no permit. It
 * is Python's `threading.Semaphore`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Semaphore } from "@evergreen/evergreen";
 *
 * const connections = new Semaphore(10);
 * {
 *   using _ = await connections.hold();
 *   assertEquals(connections.value, 9);
 * }
 * assertEquals(connections.value, 10);
 * ```
 */
export class Semaphore {
  #value: number;
  readonly #line = new Line<boolean>(() => this.describe());

  /**
   * Makes a semaphore.
   *
   * @param value How many permits there are.
   * @throws {RangeError} If that is negative.
   */
  constructor(value = 1) {
    checkCount("The value of a semaphore", value, 0);
    this.#value = value;
  }

  static {
    lineOf = (semaphore) => semaphore.#line;
  }

  /** How many permits can be acquired at once. */
  get value(): number {
    return this.#value;
  }

  /**
   * Acquires a permit, and waits for one if there is none.
   *
   * @returns `true`, or `false` when the timeout passes.
   */
  acquire(options?: WaitOptions): Promise<boolean> {
    const refused = checkpoint(options);
    if (refused !== undefined) return refused;
    if (this.#value === 0) return this.#line.wait(givesFalse, options);
    this.#value--;
    return TRUE;
  }

  /** Acquires a permit if there is one. Does not wait. */
  tryAcquire(): boolean {
    if (this.#value === 0) return false;
    this.#value--;
    return true;
  }

  /** Gives a permit back: to who waits longest, if anybody does. Any task may do so. */
  release(): void {
    const first = this.#line.first;
    if (first === null) this.#value++;
    else first.wake(true);
  }

  /**
   * Calls `fn` while holding a permit, which is released however `fn` ends.
   *
   * @throws {TimeoutError} If there was no permit in time.
   */
  with<T>(fn: () => T | Promise<T>, options?: WaitOptions): Promise<T> {
    return holding(this, fn, options);
  }

  /**
   * Acquires a permit for the rest of a block: `using _ = await semaphore.hold()`.
   *
   * @throws {TimeoutError} If there was no permit in time.
   */
  hold(options?: WaitOptions): Promise<Disposable> {
    return hold(this, options);
  }

  /** What a task waits for here, as a deadlock report says it. */
  protected describe(): string {
    return `${this.constructor.name}.acquire()`;
  }
}

/** A {@linkcode Semaphore} that notices when it is released too often. */
export class BoundedSemaphore extends Semaphore {
  readonly #most: number;

  /**
   * Makes a semaphore.
   *
   * @param value How many permits there are.
   * @throws {RangeError} If that is negative.
   */
  constructor(value = 1) {
    super(value);
    this.#most = value;
  }

  /**
   * Gives a permit back.
   *
   * @throws {RangeError} If that would be one more than there were at first.
   */
  override release(): void {
    if (this.value >= this.#most) {
      throw new RangeError(
        `Cannot release the semaphore: all of its ${this.#most} permits are back`,
      );
    }
    super.release();
  }
}
