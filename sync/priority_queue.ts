import { checkCallback, shown } from "../loop/arguments.ts";
import { Queue, type QueueStore } from "./queue.ts";

/** How a priority queue orders its items. */
export interface PriorityQueueOptions<T> {
  /** Negative if `a` leaves before `b`, positive if after, zero if they are equal. */
  compare?: (a: T, b: T) => number;
}

/**
 * A {@linkcode Queue} in which the lowest item leaves first, and of equal ones that which came first. Numbers,
 * strings, dates and arrays of these compare by themselves, as in Python: `[priority, item]` is ordered by
 * priority. It is Python's `queue.PriorityQueue`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { PriorityQueue } from "@evergreen/evergreen";
 *
 * const queue = new PriorityQueue<[number, string]>();
 * await queue.put([2, "later"]);
 * await queue.put([1, "now"]);
 * assertEquals(await queue.get(), [1, "now"]);
 * ```
 */
export class PriorityQueue<T> extends Queue<T> {
  /**
   * Makes an empty queue.
   *
   * @param maxsize How many items it holds; absent, zero or less: any number.
   */
  constructor(maxsize?: number, options?: PriorityQueueOptions<T>) {
    const compare = options?.compare ?? naturalOrder;
    checkCallback("make a priority queue", compare);
    super(maxsize, new Heap<T>(compare));
  }
}

interface Entry<T> {
  readonly item: T;
  readonly sequence: number;
}

/** A binary heap. An item that cannot be compared is refused before anything is changed. */
class Heap<T> implements QueueStore<T> {
  readonly #compare: (a: T, b: T) => number;
  readonly #entries: Entry<T>[] = [];
  #sequence = 0;

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  get size(): number {
    return this.#entries.length;
  }

  push(item: T): void {
    const entries = this.#entries;
    // Where it goes is found first, then what is in the way moves.
    const entry = { item, sequence: this.#sequence };
    const path: number[] = [];
    let index = entries.length;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#before(entry, entries[parent])) break;
      path.push(parent);
      index = parent;
    }
    this.#sequence++;
    let hole = entries.length;
    for (const parent of path) {
      entries[hole] = entries[parent];
      hole = parent;
    }
    entries[hole] = entry;
  }

  shift(): T | undefined {
    const entries = this.#entries;
    const top = entries[0];
    const last = entries.pop()!;
    const size = entries.length;
    if (size > 0) {
      let index = 0;
      while (true) {
        let child = 2 * index + 1;
        if (child >= size) break;
        if (child + 1 < size && this.#before(entries[child + 1], entries[child])) child++;
        if (!this.#before(entries[child], last)) break;
        entries[index] = entries[child];
        index = child;
      }
      entries[index] = last;
    }
    return top.item;
  }

  clear(): void {
    this.#entries.length = 0;
  }

  #before(a: Entry<T>, b: Entry<T>): boolean {
    const order = this.#compare(a.item, b.item);
    return order < 0 || (order === 0 && a.sequence < b.sequence);
  }
}

/** Compares as Python would: like with like, arrays by their first difference. */
function naturalOrder(a: unknown, b: unknown): number {
  if (Array.isArray(a) && Array.isArray(b)) {
    for (let i = 0; i < a.length && i < b.length; i++) {
      const order = naturalOrder(a[i], b[i]);
      if (order !== 0) return order;
    }
    return a.length - b.length;
  }
  if (typeof a === "string" && typeof b === "string") return byCodePoint(a, b);
  const x = rank(a);
  const y = rank(b);
  if (x !== undefined && y !== undefined && x instanceof Date === y instanceof Date) {
    return x < y ? -1 : x > y ? 1 : 0;
  }
  if (a === b && a !== undefined) return 0;
  throw new TypeError(
    `Cannot compare ${shown(a)} with ${
      shown(b)
    } in a priority queue: give it numbers, strings, dates, ` +
      "arrays of these, or a compare function",
  );
}

/** By code points, where `<` would go by the halves of surrogate pairs. */
function byCodePoint(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  let i = 0;
  while (i < shorter && a.charCodeAt(i) === b.charCodeAt(i)) i++;
  if (i === shorter) return a.length - b.length;
  return inOrder(a.charCodeAt(i)) - inOrder(b.charCodeAt(i));
}

/** Puts surrogates, which stand for the highest code points, above all other code units. */
function inOrder(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit;
}

/** What has an order of its own. */
function rank(value: unknown): number | bigint | boolean | Date | undefined {
  switch (typeof value) {
    case "number":
      return Number.isNaN(value) ? undefined : value;
    case "bigint":
    case "boolean":
      return value;
    default:
      return value instanceof Date ? value : undefined;
  }
}
