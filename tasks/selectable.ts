import type { Waiter } from "../loop/wait.ts";

/** What `select` does with a case. */
export interface SelectSource<T> {
  /** Commits at once if that can be done without waiting. Throws if the case fails. */
  poll(): { value: T } | null;
  /** Puts a waiter where it will be woken. May return what takes it out of there, if that is no line. */
  enlist(waiter: Waiter<T>): (() => void) | void;
  /** What it waits for, in a report. */
  describe(): string;
}

/** What stands behind a case. */
export let sourceOf: (selectable: Selectable<unknown>) => SelectSource<unknown>;

/** Makes a case. */
export let selectable: <T>(source: SelectSource<T>) => Selectable<T>;

/**
 * One case for {@linkcode select}: what it waits for, and what happens if it is chosen. Made by the thing that
 * is waited for: `channel.receiving()`, `queue.getting()`, `event.waiting()`, `task.joining()`,
 * `future.getting()`, `after(ms)`. It does nothing by itself.
 */
export class Selectable<T> {
  readonly #source: SelectSource<T>;

  private constructor(source: SelectSource<T>) {
    this.#source = source;
  }

  static {
    selectable = (source) => new Selectable(source);
    sourceOf = (selectable) => selectable.#source as SelectSource<unknown>;
  }
}
