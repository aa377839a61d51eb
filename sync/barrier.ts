import { checkCallback, checkCount } from "../loop/arguments.ts";
import { registerErrorClass } from "../loop/carried_error.ts";
import { RuntimeError } from "../loop/errors.ts";
import { Line } from "../loop/line.ts";
import { checkOptions, checkpoint, type Expiry, type WaitOptions } from "../loop/wait.ts";

/** The barrier was aborted, reset, or one of its parties timed out. */
export class BrokenBarrierError extends RuntimeError {
  static {
    this.prototype.name = "BrokenBarrierError";
    registerErrorClass(this);
  }
}

/** How a barrier is made. */
export interface BarrierOptions {
  /** Called by the last one that arrives, before any is let go. If it throws, the barrier is broken. */
  action?: () => void;
  /** How long each waits for the others, in milliseconds, unless it says otherwise. */
  timeout?: number;
}

/**
 * Where so many tasks wait until all are there. Then all go on, and it can be used again. It is Python's
 * `threading.Barrier`: if one waits too long it is broken for all. One that is killed or aborted only leaves.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Barrier, spawn } from "@evergreen/evergreen";
 *
 * const barrier = new Barrier(2);
 * const log: string[] = [];
 * spawn(async () => {
 *   log.push("a");
 *   await barrier.wait();
 * });
 * await barrier.wait();
 * assertEquals(log, ["a"]);
 * ```
 */
export class Barrier {
  readonly #parties: number;
  readonly #action: (() => void) | undefined;
  readonly #timeout: number | undefined;
  readonly #line: Line<number> = new Line<number>(() =>
    `Barrier.wait(), ${this.#line.size} of ${this.#parties} are there`
  );
  readonly #breaks: Expiry = {
    atOnce: () => {
      this.abort();
      return Promise.reject(brokenError());
    },
    expire: () => this.abort(),
  };
  #broken = false;

  /**
   * Makes a barrier.
   *
   * @param parties How many must be there.
   * @throws {RangeError} If that is less than 1, or the timeout negative.
   */
  constructor(parties: number, options?: BarrierOptions) {
    checkCount("The number of parties", parties, 1);
    const { action, timeout } = options ?? {};
    if (action !== undefined) checkCallback("make a barrier with that action", action);
    checkOptions({ timeout });
    this.#parties = parties;
    this.#action = action;
    this.#timeout = timeout;
  }

  /** How many must be there. */
  get parties(): number {
    return this.#parties;
  }

  /** How many are there. */
  get waiting(): number {
    return this.#line.size;
  }

  /** Whether it is broken. */
  get broken(): boolean {
    return this.#broken;
  }

  /**
   * Waits until all parties are there.
   *
   * @returns A number from 0 to parties - 1, different for each: in the order in which they came.
   * @throws {BrokenBarrierError} If it is broken, or breaks meanwhile; a timeout breaks it.
   */
  wait(options?: WaitOptions): Promise<number> {
    const refused = checkpoint(options);
    if (refused !== undefined) return refused;
    if (this.#broken) return Promise.reject(brokenError());
    if (this.#line.size + 1 < this.#parties) {
      const timeout = options?.timeout ?? this.#timeout;
      return this.#line.wait(
        this.#breaks,
        timeout === undefined ? options : { ...options, timeout },
      );
    }
    try {
      this.#action?.();
    } catch (error) {
      this.abort();
      return Promise.reject(error);
    }
    for (let index = 0; this.#line.first !== null; index++) this.#line.first.wake(index);
    return Promise.resolve(this.#parties - 1);
  }

  /** Makes it as new. Who waits gets a {@linkcode BrokenBarrierError}. */
  reset(): void {
    this.#broken = false;
    this.#line.raiseAll(brokenError);
  }

  /** Breaks it, for those who wait and those who come, until it is reset. */
  abort(): void {
    this.#broken = true;
    this.#line.raiseAll(brokenError);
  }
}

function brokenError(): BrokenBarrierError {
  return new BrokenBarrierError("The barrier is broken");
}
