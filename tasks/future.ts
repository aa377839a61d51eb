import { checkCallback } from "../loop/arguments.ts";
import { registerErrorClass } from "../loop/carried_error.ts";
import { RuntimeError } from "../loop/errors.ts";
import { Line } from "../loop/line.ts";
import { Scheduler } from "../loop/scheduler.ts";
import { checkpoint, raisesTimeout, type WaitOptions } from "../loop/wait.ts";
import { type Selectable, selectable } from "./selectable.ts";

/** The call was cancelled before it could give a result. */
export class CancelledError extends Error {
  static {
    this.prototype.name = "CancelledError";
    registerErrorClass(this);
  }
}

type State = "pending" | "running" | "cancelled" | "returned" | "threw";

/** Cancels a future whose call was ended while it ran. */
export let settleCancelled: (future: Future<unknown>) => void;

/** Has `end` called when the running call of a future is to be ended. */
export let terminateBy: (future: Future<unknown>, end: () => void) => void;

/** How a settled future ended. */
export let outcomeOf: (future: Future<unknown>) => { failed: boolean; value: unknown };

/**
 * The result of a call that is made elsewhere: another task, thread or process. Executors give them; one can
 * also be made by itself and settled by hand. After `concurrent.futures.Future`.
 *
 * An error that nobody asks for is not reported.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Future, sleep, spawn } from "@evergreen/evergreen";
 *
 * const future = new Future<string>();
 * spawn(async () => {
 *   await sleep(1);
 *   future.setResult("done");
 * });
 * assertEquals(await future.get(), "done");
 * ```
 */
export class Future<T> {
  #state: State = "pending";
  #outcome: unknown = undefined;
  // Typed so that a Future<number> is a Future<number | string>.
  #line: Line<unknown> | null = null;
  #callbacks: ((future: never) => void)[] | null = null;
  #end: (() => void) | null = null;

  /** Whether it was cancelled. */
  get cancelled(): boolean {
    return this.#state === "cancelled";
  }

  /** Whether its call runs and can no longer be cancelled. */
  get running(): boolean {
    return this.#state === "running";
  }

  /** Whether it is settled: with a value, an error, or by being cancelled. */
  get done(): boolean {
    return this.#state !== "pending" && this.#state !== "running";
  }

  /** Cancels the call if it has not started. Returns whether it is cancelled now. */
  cancel(): boolean {
    if (this.#state === "pending") this.#settle("cancelled", undefined);
    return this.#state === "cancelled";
  }

  /**
   * Cancels the call also while it runs: its task is killed, its thread or process ended. The future is settled at
   * once, and no other call is harmed.
   *
   * A process stops for good. A thread that computes without a pause cannot be stopped on Deno: nobody waits for it
   * any more and it does not keep the program from ending, but it goes on until it pauses or next reports its
   * {@linkcode Progress}. A future that was made by hand has no call to end, and is only cancelled.
   *
   * @returns Whether it is cancelled now.
   */
  terminate(): boolean {
    const end = this.#end;
    if (this.#state === "running" && end !== null) {
      this.#settle("cancelled", undefined);
      end();
      return true;
    }
    return this.cancel();
  }

  /**
   * Waits for the result. May be called many times, by many tasks.
   *
   * @returns The call's value.
   * @throws The call's own error.
   * @throws {CancelledError} If the call was cancelled.
   * @throws {TimeoutError} If it takes longer than `options.timeout`.
   */
  get(options?: WaitOptions): Promise<T> {
    const refused = checkpoint(options);
    if (refused !== undefined) return refused;
    switch (this.#state) {
      case "returned":
        return Promise.resolve(this.#outcome as T);
      case "threw":
        return Promise.reject(this.#outcome);
      case "cancelled":
        return Promise.reject(cancelledError());
      default:
        return this.#waiters().wait(raisesTimeout, options) as Promise<T>;
    }
  }

  /** {@linkcode Future.prototype.get} as a case of {@linkcode select}. */
  getting(): Selectable<T> {
    return selectable<T>({
      poll: () => {
        if (this.#state === "returned") return { value: this.#outcome as T };
        if (this.#state === "threw") throw this.#outcome;
        if (this.#state === "cancelled") throw cancelledError();
        return null;
      },
      enlist: (waiter) => this.#waiters().add(waiter),
      describe: () => "Future.get()",
    });
  }

  /**
   * Calls `callback` with this future when it is settled, in order; at once if it is. What it throws is
   * reported to the loop's exception handler.
   */
  addDoneCallback(callback: (future: Future<T>) => void): void {
    checkCallback("add a done callback", callback);
    if (this.done) this.#call(callback);
    else (this.#callbacks ??= []).push(callback);
  }

  /**
   * For executors: says that the call starts, after which it cannot be cancelled.
   *
   * @returns `false` if it was cancelled, and must not be made.
   * @throws {RuntimeError} If it runs already, or is settled.
   */
  setRunningOrNotifyCancel(): boolean {
    if (this.#state === "cancelled") return false;
    if (this.#state !== "pending") {
      throw new RuntimeError(`Cannot start the call of a future: it has ${this.#past()} already`);
    }
    this.#state = "running";
    return true;
  }

  /**
   * For executors: settles it with a value.
   *
   * @throws {RuntimeError} If it is settled.
   */
  setResult(value: T): void {
    this.#checkUnsettled();
    this.#settle("returned", value);
  }

  /**
   * For executors: settles it with an error.
   *
   * @throws {RuntimeError} If it is settled.
   */
  setException(error: unknown): void {
    this.#checkUnsettled();
    this.#settle("threw", error);
  }

  #waiters(): Line<unknown> {
    return this.#line ??= new Line<unknown>(() => "Future.get()");
  }

  #checkUnsettled(): void {
    if (this.done) {
      throw new RuntimeError(`Cannot settle the future: it has ${this.#past()} already`);
    }
  }

  #past(): string {
    switch (this.#state) {
      case "running":
        return "been started";
      case "cancelled":
        return "been cancelled";
      default:
        return `been settled with ${this.#state === "threw" ? "an error" : "a value"}`;
    }
  }

  #settle(state: "cancelled" | "returned" | "threw", outcome: unknown): void {
    this.#state = state;
    this.#outcome = outcome;
    this.#end = null;
    const line = this.#line;
    if (line !== null) {
      this.#line = null;
      if (state === "returned") line.wakeAll(outcome);
      else if (state === "threw") line.throwAll(outcome);
      else line.raiseAll(cancelledError);
    }
    const callbacks = this.#callbacks;
    this.#callbacks = null;
    if (callbacks !== null) { for (const callback of callbacks) this.#call(callback); }
  }

  #call(callback: (future: never) => void): void {
    try {
      callback(this as never);
    } catch (error) {
      const message = "Unhandled error in a future's done callback";
      Scheduler.current().report({ error, message });
    }
  }

  static {
    settleCancelled = (future) => {
      if (!future.done) future.#settle("cancelled", undefined);
    };
    terminateBy = (future, end) => {
      future.#end = end;
    };
    outcomeOf = (future) => ({ failed: future.#state === "threw", value: future.#outcome });
  }
}

function cancelledError(): CancelledError {
  return new CancelledError("The call was cancelled");
}
