import { shown } from "../loop/arguments.ts";
import { registerErrorClass } from "../loop/carried_error.ts";
import { Line } from "../loop/line.ts";
import { Ring } from "../loop/ring.ts";
import { checkpoint, givesFalse, raises, type WaitOptions } from "../loop/wait.ts";
import { type Selectable, selectable } from "../tasks/selectable.ts";

/** There is no item in the queue. */
export class Empty extends Error {
  static {
    this.prototype.name = "Empty";
    registerErrorClass(this);
  }
}

/** There is no room in the queue. */
export class Full extends Error {
  static {
    this.prototype.name = "Full";
    registerErrorClass(this);
  }
}

/** The queue was shut down. */
export class ShutDown extends Error {
  static {
    this.prototype.name = "ShutDown";
    registerErrorClass(this);
  }
}

/** Where a queue keeps its items; it decides which leaves first. */
export interface QueueStore<T> {
  /** How many it holds. */
  readonly size: number;
  /** Adds an item. */
  push(item: T): void;
  /** Takes out the item whose turn it is. Only called if there is one. */
  shift(): T | undefined;
  /** Drops all items. */
  clear(): void;
}

const DONE = Promise.resolve();
const TRUE = Promise.resolve(true);
const emptyError = (): Empty => new Empty("The queue is empty");
const fullError = (): Full => new Full("The queue is full");
const shutDownError = (): ShutDown => new ShutDown("The queue was shut down");
const raisesEmpty = raises(emptyError);
const raisesFull = raises(fullError);

/**
 * Items on their way from task to task, first in first out. A put waits while the queue is full, a get while
 * it is empty; both are served in the order in which they came. A put that is killed, times out or is aborted
 * has put nothing, and such a get has taken nothing. It is Python's `queue.Queue`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Queue, spawn } from "@evergreen/evergreen";
 *
 * const queue = new Queue<number>(2);
 * spawn(async () => {
 *   for (const n of [1, 2, 3]) await queue.put(n);
 *   queue.shutdown();
 * });
 * assertEquals(await Array.fromAsync(queue), [1, 2, 3]);
 * ```
 */
export class Queue<T> implements AsyncIterable<T> {
  readonly #maxsize: number;
  readonly #store: QueueStore<T>;
  readonly #getters = new Line<T>(() => `${this.constructor.name}.get()`);
  readonly #putters = new Line<void>(() => `${this.constructor.name}.put()`);
  readonly #joiners = new Line<boolean>(() =>
    `${this.constructor.name}.join(), ${this.#unfinished} items are not done`
  );
  #unfinished = 0;
  #shutDown = false;

  /**
   * Makes an empty queue.
   *
   * @param maxsize How many items it holds; absent, zero or less: any number.
   * @param store Where they are kept, for subclasses.
   */
  constructor(maxsize = 0, store: QueueStore<T> = new Ring<T>()) {
    if (typeof maxsize !== "number") {
      throw new TypeError(`Cannot make a queue: maxsize must be a number, not ${shown(maxsize)}`);
    }
    if (Number.isNaN(maxsize)) throw new RangeError("Cannot make a queue: maxsize must not be NaN");
    this.#maxsize = maxsize;
    this.#store = store;
  }

  /** How many items it holds at the most; zero or less: any number. */
  get maxsize(): number {
    return this.#maxsize;
  }

  /** How many items are in it. */
  qsize(): number {
    return this.#store.size;
  }

  /** Whether no item is in it. */
  empty(): boolean {
    return this.#store.size === 0;
  }

  /** Whether there is no room. */
  full(): boolean {
    return this.#maxsize > 0 && this.#store.size >= this.#maxsize;
  }

  /**
   * Puts an item in, and waits for room if there is none.
   *
   * @throws {Full} If there is no room within `options.timeout`.
   * @throws {ShutDown} If the queue was shut down, or is meanwhile.
   */
  put(item: T, options?: WaitOptions): Promise<void> {
    const refused = checkpoint(options);
    if (refused !== undefined) return refused;
    if (this.#shutDown) return Promise.reject(shutDownError());
    if (this.full()) return this.#putters.wait(raisesFull, options, item);
    try {
      this.#add(item);
    } catch (error) { // The items of a priority queue cannot be compared.
      return Promise.reject(error);
    }
    return DONE;
  }

  /**
   * Puts an item in if there is room.
   *
   * @throws {Full} If there is none.
   * @throws {ShutDown} If the queue was shut down.
   */
  putNowait(item: T): void {
    if (this.#shutDown) throw shutDownError();
    if (this.full()) throw fullError();
    this.#add(item);
  }

  /**
   * Takes an item out, and waits for one if there is none.
   *
   * @throws {Empty} If there is none within `options.timeout`.
   * @throws {ShutDown} If the queue was shut down and is empty.
   */
  get(options?: WaitOptions): Promise<T> {
    const refused = checkpoint(options);
    if (refused !== undefined) return refused;
    if (this.#store.size > 0) return Promise.resolve(this.#take());
    if (this.#shutDown) return Promise.reject(shutDownError());
    return this.#getters.wait(raisesEmpty, options);
  }

  /**
   * Takes an item out if there is one.
   *
   * @throws {Empty} If there is none.
   * @throws {ShutDown} If the queue was shut down and is empty.
   */
  getNowait(): T {
    if (this.#store.size > 0) return this.#take();
    throw this.#shutDown ? shutDownError() : emptyError();
  }

  /** {@linkcode Queue.prototype.get} as a case of {@linkcode select}. */
  getting(): Selectable<T> {
    return selectable<T>({
      poll: () => {
        if (this.#store.size > 0) return { value: this.#take() };
        if (this.#shutDown) throw shutDownError();
        return null;
      },
      enlist: (waiter) => this.#getters.add(waiter),
      describe: this.#getters.describe,
    });
  }

  /** {@linkcode Queue.prototype.put} as a case of {@linkcode select}. */
  putting(item: T): Selectable<void> {
    return selectable<void>({
      poll: () => {
        if (this.#shutDown) throw shutDownError();
        if (this.full()) return null;
        this.#add(item);
        return { value: undefined };
      },
      enlist: (waiter) => {
        waiter.offer = item;
        this.#putters.add(waiter);
      },
      describe: this.#putters.describe,
    });
  }

  /**
   * Says that an item that was taken out is done with.
   *
   * @throws {RangeError} If that was said of as many as were put in.
   */
  taskDone(): void {
    if (this.#unfinished === 0) {
      throw new RangeError(
        "Cannot mark an item as done: taskDone() was called for every item already",
      );
    }
    this.#finish(1);
  }

  /**
   * Waits until {@linkcode Queue.prototype.taskDone} was called for every item that was put in.
   *
   * @returns `true`, or `false` when the timeout passes.
   */
  join(options?: WaitOptions): Promise<boolean> {
    const refused = checkpoint(options);
    if (refused !== undefined) return refused;
    return this.#unfinished === 0 ? TRUE : this.#joiners.wait(givesFalse, options);
  }

  /**
   * Refuses items from now on: every put throws {@linkcode ShutDown}, also those that wait. What is in the
   * queue can still be taken; then every get throws {@linkcode ShutDown}, and iterations end.
   *
   * @param options `immediate`: drop what is in the queue, as if it were done.
   */
  shutdown(options?: { immediate?: boolean }): void {
    this.#shutDown = true;
    if (options?.immediate) {
      const dropped = this.#store.size;
      this.#store.clear();
      this.#finish(dropped);
    }
    this.#putters.raiseAll(shutDownError);
    this.#getters.raiseAll(shutDownError);
  }

  /** Takes items out until the queue is shut down and empty. */
  async *[Symbol.asyncIterator](): AsyncIterator<T> {
    while (true) {
      let item: T;
      try {
        item = await this.get();
      } catch (error) {
        if (error instanceof ShutDown && this.#shutDown) return;
        throw error;
      }
      yield item;
    }
  }

  #add(item: T): void {
    // Who waits for an item waits because there is none: it gets this one, without a stop in the store.
    const getter = this.#getters.first;
    if (getter === null) this.#store.push(item);
    else getter.wake(item);
    this.#unfinished++;
  }

  #take(): T {
    const item = this.#store.shift() as T;
    if (this.#putters.first !== null) this.#admit();
    return item;
  }

  /** Lets those in who wait to put something, as far as there is room. */
  #admit(): void {
    for (
      let putter = this.#putters.first;
      putter !== null && !this.full();
      putter = this.#putters.first
    ) {
      try {
        this.#store.push(putter.offer as T);
      } catch (error) { // Its item cannot be compared: that is its own error, and its room is the next one's.
        putter.throw(error);
        continue;
      }
      this.#unfinished++;
      putter.wake();
    }
  }

  #finish(items: number): void {
    this.#unfinished -= items;
    if (this.#unfinished === 0) this.#joiners.wakeAll(true);
  }
}

/** A {@linkcode Queue} in which what came last leaves first. */
export class LifoQueue<T> extends Queue<T> {
  /**
   * Makes an empty queue.
   *
   * @param maxsize How many items it holds; absent, zero or less: any number.
   */
  constructor(maxsize?: number) {
    super(maxsize, new Stack<T>());
  }
}

class Stack<T> implements QueueStore<T> {
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    return this.#items.pop();
  }

  clear(): void {
    this.#items.length = 0;
  }
}
