import { Line } from "../loop/line.ts";
import { Ring } from "../loop/ring.ts";
import { checkpoint, raisesTimeout, type WaitOptions } from "../loop/wait.ts";
import { type Selectable, selectable } from "./selectable.ts";

/** What arrives for tasks of this thread, in order, until it is closed. */
export class Mailbox<T> {
  readonly #items = new Ring<T>();
  readonly #line: Line<IteratorResult<T, undefined>>;
  readonly #onTaken: () => void;
  #closed: { error: unknown } | null = null;

  /**
   * @param describe What its waiters wait for.
   * @param onTaken Called whenever an item has found who takes it.
   */
  constructor(describe: () => string, onTaken: () => void = () => {}) {
    this.#line = new Line(describe);
    this.#onTaken = onTaken;
  }

  get closed(): boolean {
    return this.#closed !== null;
  }

  /** Puts an item in; one that comes after the end is dropped. */
  push(value: T): void {
    if (this.#closed !== null) return;
    const waiter = this.#line.first;
    if (waiter === null) return this.#items.push(value);
    waiter.wake({ done: false, value });
    this.#onTaken();
  }

  /** Ends it, after what is in it; with an error, whoever takes next gets that, once. */
  close(error?: unknown): void {
    if (this.#closed !== null) return;
    this.#closed = { error };
    const waiter = this.#line.first;
    if (error !== undefined && waiter !== null) {
      this.#closed.error = undefined;
      waiter.throw(error);
    }
    this.#line.wakeAll({ done: true, value: undefined });
  }

  /** Drops what is in it, and an error that nobody has taken. */
  discard(): void {
    this.#items.clear();
    this.close();
    this.#closed!.error = undefined;
  }

  take(options?: WaitOptions): Promise<IteratorResult<T, undefined>> {
    const refused = checkpoint(options);
    if (refused !== undefined) return refused;
    try {
      const ready = this.#poll();
      return ready === null ? this.#line.wait(raisesTimeout, options) : Promise.resolve(ready);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  taking(): Selectable<IteratorResult<T, undefined>> {
    return selectable<IteratorResult<T, undefined>>({
      poll: () => {
        const value = this.#poll();
        return value === null ? null : { value };
      },
      enlist: (waiter) => this.#line.add(waiter),
      describe: this.#line.describe,
    });
  }

  #poll(): IteratorResult<T, undefined> | null {
    if (this.#items.size > 0) {
      const value = this.#items.shift()!;
      this.#onTaken();
      return { done: false, value };
    }
    if (this.#closed === null) return null;
    const { error } = this.#closed;
    this.#closed.error = undefined;
    if (error !== undefined) throw error;
    return { done: true, value: undefined };
  }
}
