import { outside } from "./outside.ts";
import { TaskExit } from "./errors.ts";
import type { Ready } from "./ready.ts";
import type { Scheduler } from "./scheduler.ts";
import { Strand } from "./strand.ts";
import type { Due } from "./timers.ts";

/** A callback that a loop was asked to call. Cancelling it again, or when it has been called, does nothing. */
export interface Handler extends Disposable {
  /** Whether {@linkcode cancel} was called. */
  readonly cancelled: boolean;
  /** Sees to it that the callback is not called any more. */
  cancel(): void;
  /** Cancels it. */
  [Symbol.dispose](): void;
}

/** A callback in the ready queue, behind a timer, or of a signal. */
export class Callback implements Handler, Ready, Due {
  readonly strand = null;
  armed = false;
  background = false;
  #cancelled = false;
  #onCancel: (() => void) | null = null;

  constructor(
    readonly scheduler: Scheduler,
    // deno-lint-ignore no-explicit-any
    readonly callback: (...args: any[]) => void,
    readonly args: unknown[],
  ) {}

  get cancelled(): boolean {
    return this.#cancelled;
  }

  cancel(): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    if (this.armed) this.scheduler.cancelTimer(this);
    this.#onCancel?.();
  }

  [Symbol.dispose](): void {
    this.cancel();
  }

  /** Calls it at `when`. */
  schedule(when: number, background: boolean): this {
    this.background = background;
    this.scheduler.timerAt(when, this);
    return this;
  }

  /** Calls `forget` when it is cancelled. */
  onCancel(forget: () => void): this {
    this.#onCancel = forget;
    return this;
  }

  due(): void {
    this.scheduler.enqueue(this);
  }

  run(): void {
    if (this.#cancelled) return;
    // The loop may run it in the context of whichever task was the last to give up control.
    if (Strand.outside) this.#call();
    else outside(() => this.#call());
  }

  #call(): void {
    try {
      const result: unknown = this.callback(...this.args);
      if (result instanceof Promise) result.catch((error) => this.#report(error));
    } catch (error) {
      this.#report(error);
    }
  }

  #report(error: unknown): void {
    // It may have waited in the name of a task that was killed, or that has ended.
    if (error instanceof TaskExit) return;
    const name = this.callback.name || "a callback";
    this.scheduler.report({ error, handler: this, message: `Unhandled error in ${name}` });
  }
}
