import type { WaitOptions } from "../loop/wait.ts";
import { Mailbox } from "./_mailbox.ts";
import type { Selectable } from "./selectable.ts";

/** What a call tells its progress by. Give it a {@linkcode Progress}; the call gets the other end. */
export interface Reporter<T> {
  /**
   * Tells how far the call is; waits for nothing.
   *
   * @throws {TaskExit} In a thread whose call was terminated: this is where it stops.
   */
  send(value: T): void;
}

/**
 * Tells how far a long call is, from inside it, whichever executor makes it: as an argument of the call it arrives
 * there as a {@linkcode Reporter}. What it sends waits here, in order, to be iterated over or received. It is
 * closed when the call ends, however it ends.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Progress, type Reporter, ThreadPoolExecutor } from "@evergreen/evergreen";
 *
 * await using pool = new ThreadPoolExecutor(1);
 * const progress = new Progress<number>();
 * const future = pool.submit((steps: number, progress: Reporter<number>) => {
 *   for (let step = 1; step <= steps; step++) progress.send(step / steps);
 *   return "done";
 * }, 4, progress);
 * assertEquals(await Array.fromAsync(progress), [0.25, 0.5, 0.75, 1]);
 * assertEquals(await future.get(), "done");
 * ```
 */
export class Progress<T> implements Reporter<T>, AsyncIterable<T> {
  readonly #mailbox = new Mailbox<T>(() => "Progress.receive()");
  #latest: T | undefined = undefined;

  /** Whether the call has ended. */
  get closed(): boolean {
    return this.#mailbox.closed;
  }

  /** What was sent last, `undefined` before. */
  get latest(): T | undefined {
    return this.#latest;
  }

  /** Sends a value; after the end it is dropped. */
  send(value: T): void {
    if (this.closed) return;
    this.#latest = value;
    this.#mailbox.push(value);
  }

  /**
   * Waits for the next value that was sent.
   *
   * @returns `done` when the call has ended and all was received.
   * @throws {TimeoutError} If none comes within `options.timeout`.
   */
  receive(options?: WaitOptions): Promise<IteratorResult<T, undefined>> {
    return this.#mailbox.take(options);
  }

  /** {@linkcode Progress.prototype.receive} as a case of {@linkcode select}. */
  receiving(): Selectable<IteratorResult<T, undefined>> {
    return this.#mailbox.taking();
  }

  /** Ends it. An executor does that when the call has ended. */
  close(): void {
    this.#mailbox.close();
  }

  /** Receives until the call has ended. */
  async *[Symbol.asyncIterator](): AsyncIterator<T> {
    for (let next = await this.receive(); !next.done; next = await this.receive()) yield next.value;
  }
}

/** Closes what is a {@linkcode Progress} among the arguments of a call that has ended. */
export function closeProgress(args: readonly unknown[]): void {
  for (const arg of args) if (arg instanceof Progress) arg.close();
}
