/** Options of {@linkcode delay}. */
export interface DelayOptions {
  /** Rejects with the signal's reason when it aborts. */
  signal?: AbortSignal;
  /** Whether the timer keeps the process alive. Default: true. */
  persistent?: boolean;
}

/** Resolves after `ms` milliseconds. */
export function delay(ms: number, options?: DelayOptions): Promise<void>;

/** Options of {@linkcode deadline}. */
export interface DeadlineOptions {
  /** Rejects with the signal's reason when it aborts. */
  signal?: AbortSignal;
}

/** Rejects with a `TimeoutError` if `p` has not settled after `ms` milliseconds. */
export function deadline<T>(p: Promise<T>, ms: number, options?: DeadlineOptions): Promise<T>;

/** Makes a promise reject when `signal` aborts. */
export function abortable<T>(p: Promise<T>, signal: AbortSignal): Promise<T>;
/** Makes an async iterable throw when `signal` aborts. */
export function abortable<T>(p: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T>;

/** Resolves to a record of what the promises in `record` resolved to. */
export function allKeyed<T extends Record<PropertyKey, unknown>>(
  record: { [K in keyof T]: T[K] | PromiseLike<T[K]> },
): Promise<T>;

/** Resolves to a record of how the promises in `record` settled. */
export function allSettledKeyed<T extends Record<PropertyKey, unknown>>(
  record: { [K in keyof T]: T[K] | PromiseLike<T[K]> },
): Promise<{ [K in keyof T]: PromiseSettledResult<T[K]> }>;

/** Options of {@linkcode debounce}. */
export interface DebounceOptions {
  /** Drops the call that is due when it aborts. */
  signal?: AbortSignal;
}

/** What {@linkcode debounce} gives. */
export interface DebouncedFunction<T extends Array<unknown>> {
  (...args: T): void;
  /** Drops the call that is due. */
  clear(): void;
  /** Makes the call that is due at once. */
  flush(): void;
  /** Whether a call is due. */
  readonly pending: boolean;
}

/** Delays calls of `fn` until there was none for `wait` milliseconds; only the last is made. */
// deno-lint-ignore no-explicit-any
export function debounce<T extends Array<any>>(
  fn: (this: DebouncedFunction<T>, ...args: T) => void,
  wait: number,
  options?: DebounceOptions,
): DebouncedFunction<T>;

/** Options of {@linkcode Lazy.prototype.get}. */
export interface LazyGetOptions {
  /** Rejects this call with the signal's reason when it aborts. */
  signal?: AbortSignal;
}

/** A value that is made once, when it is first asked for. */
export class Lazy<T> {
  constructor(init: () => T | PromiseLike<T>);
  get(options?: LazyGetOptions): Promise<T>;
  get initialized(): boolean;
  peek(): { ok: true; value: T } | { ok: false };
  reset(): void;
}

/** Several async iterables as one, in the order in which their items come. */
export class MuxAsyncIterator<T> implements AsyncIterable<T> {
  add(iterable: AsyncIterable<T>): void;
  iterate(): AsyncIterableIterator<T>;
  [Symbol.asyncIterator](): AsyncIterator<T>;
}

/** Options of {@linkcode poll}. */
export interface PollOptions {
  /** Rejects with the signal's reason when it aborts. */
  signal?: AbortSignal;
  /** Milliseconds between two calls. Default: 1000. */
  interval?: number;
}

/** Calls `fn` again and again until `isDone` says of its result that it will do. */
export function poll<T>(
  fn: () => T | Promise<T>,
  isDone: (result: T) => boolean,
  options?: PollOptions,
): Promise<T>;

/** Maps what `array` gives, `poolLimit` at a time, in order. */
export function pooledMap<T, R>(
  poolLimit: number,
  array: Iterable<T> | AsyncIterable<T>,
  iteratorFn: (data: T) => Promise<R>,
): AsyncIterableIterator<R>;

/** Thrown by {@linkcode retry} when it gives up; `cause` is the last error. */
export class RetryError extends Error {
  constructor(cause: unknown, attempts: number);
}

/** Options of {@linkcode retry}. */
export interface RetryOptions {
  /** How much longer each wait is than the one before. Default: 2. */
  multiplier?: number;
  /** The longest wait, in milliseconds. Default: 60000. */
  maxTimeout?: number;
  /** How many calls to make at most. Default: 5. */
  maxAttempts?: number;
  /** The first wait, in milliseconds. Default: 1000. */
  minTimeout?: number;
  /** How much of a wait is left to chance, from 0 to 1. Default: 1. */
  jitter?: number;
  /** Whether to go on after this error. Default: always. */
  isRetriable?: (err: unknown) => boolean;
  /** Rejects with the signal's reason when it aborts. */
  signal?: AbortSignal;
}

/** Calls `fn` until it does not throw. */
export function retry<T>(fn: (() => Promise<T>) | (() => T), options?: RetryOptions): Promise<T>;

/** A tuple of `N` items of `T`. */
export type Tuple<T, N extends number> = number extends N ? T[] : TupleOf<T, N, []>;

/** How {@linkcode Tuple} counts. */
export type TupleOf<T, N extends number, R extends unknown[]> = R["length"] extends N ? R
  : TupleOf<T, N, [T, ...R]>;

/** Makes `n` independent iterables of one; 2 by default. */
export function tee<T, N extends number = 2>(
  iterable: AsyncIterable<T>,
  n?: N,
): Tuple<AsyncIterable<T>, N>;
