import { shown } from "./arguments.ts";

/** What was marked to be moved when it is sent, and what is to be moved for it. */
const marked = new WeakMap<object, readonly Transferable[]>();

/**
 * Marks `value` to be moved, not copied, the next time it is sent to another thread: as an argument of a call,
 * or as its result. Whoever sends it has an empty buffer afterwards. A process has memory of its own, so there it is
 * copied all the same, and the sender keeps what it has.
 *
 * @param value What is sent: an argument as a whole, or the whole result.
 * @param parts What of it is moved. The default is all that can be: buffers, message ports and streams, also deep in
 * arrays and plain objects.
 * @returns `value` itself.
 * @throws {TypeError} If it is no object.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { ThreadPoolExecutor, transfer } from "@evergreen/evergreen";
 *
 * await using pool = new ThreadPoolExecutor(1);
 * const pixels = new Uint8Array(1_000_000).fill(1);
 * const sum = pool.submit((bytes: Uint8Array) => bytes.reduce((a, b) => a + b), transfer(pixels));
 * assertEquals(pixels.length, 0); // They are in the other thread now.
 * assertEquals(await sum.get(), 1_000_000);
 * ```
 */
export function transfer<T extends object>(value: T, parts?: readonly Transferable[]): T {
  if (typeof value !== "object" || value === null) {
    throw new TypeError(`Cannot transfer: an object is needed, not ${shown(value)}`);
  }
  marked.set(value, parts ?? transferables(value));
  return value;
}

/** What is to be moved for `values`, each of which may have been marked. The marks are used up. */
export function takeTransfers(values: readonly unknown[]): Transferable[] {
  const all: Transferable[] = [];
  for (const value of values) {
    if (typeof value !== "object" || value === null) continue;
    const parts = marked.get(value);
    if (parts === undefined) continue;
    marked.delete(value);
    all.push(...parts);
  }
  return all;
}

/** All that could be moved of `value`. */
export function transferables(value: unknown): Transferable[] {
  return [...partsOf(value)].filter(isTransferable);
}

/** Whether some of `value` is memory that is shared. */
export function sharesMemory(value: unknown): boolean {
  return partsOf(value).values().some((part) => part instanceof SharedArrayBuffer);
}

/** `value` and all that is in it, as deep as arrays, collections and plain objects go. */
function partsOf(value: unknown): Set<object> {
  const parts = new Set<object>();
  const look = (value: unknown): void => {
    if (typeof value !== "object" || value === null || parts.has(value)) return;
    parts.add(value);
    if (ArrayBuffer.isView(value)) look(value.buffer);
    else if (Array.isArray(value) || value instanceof Set) value.forEach(look);
    else if (value instanceof Map) value.forEach((each, key) => (look(key), look(each)));
    else if (isPlain(value)) Object.values(value).forEach(look);
  };
  look(value);
  return parts;
}

function isTransferable(value: object): value is object & Transferable {
  return value instanceof ArrayBuffer || value instanceof MessagePort ||
    value instanceof ReadableStream || value instanceof WritableStream ||
    value instanceof TransformStream;
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
