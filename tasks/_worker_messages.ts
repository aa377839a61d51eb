import type { Carried } from "../loop/carried_error.ts";
import type { Target } from "./_function_source.ts";

/** What a worker is told once, before everything else. */
export interface Setup {
  /** A function to be called before the first call, and its arguments. */
  readonly initializer: Target | null;
  readonly initializerArgs: readonly unknown[];
  /** Whether the buffers of results are moved, not copied. */
  readonly transferResults: boolean;
  /** Whether it may use only so much memory. */
  readonly memoryLimited: boolean;
  /** After how many idle milliseconds it says so. */
  readonly idleTimeout: number | null;
  /** Is 1 when nobody wants what it computes; only where memory can be shared. */
  readonly stopped: Int32Array | null;
}

/** To a worker: make a call, with which arguments standing for reporters of progress. */
export const CALL = 0;
/** To a worker: make a call and send what it yields, as far as it is asked for. */
export const STREAM = 1;
/** How many items a stream's worker makes ahead of those that were asked for. */
export const WINDOW = 8;

/** To a worker: send so many more items. */
export const PULL = 2;
/** To a worker: no more items are wanted. */
export const RETURN = 3;
/** To a worker: the first message. */
export const SETUP = 4;

/** What is sent to a worker. A worker has one call at a time; its number tells whose a late message is. */
export type ToWorker =
  | [kind: typeof CALL | typeof STREAM, id: number, Target, args: unknown[], reporters: number[]]
  | [kind: typeof PULL, id: number, items: number]
  | [kind: typeof RETURN, id: number]
  | [kind: typeof SETUP, id: 0, setup: Setup];

/** From a worker: the call has returned. A stream has ended. */
export const RETURNED = 0;
/** From a worker: the call has thrown. */
export const THREW = 1;
/** From a worker: the next item of a stream. */
export const ITEM = 2;
/** From a worker: something for who reads the progress of the argument with that index. */
export const PROGRESS = 3;
/** From a worker: it has been idle for long, after so many calls. */
export const IDLE = 4;
/** From a worker: an error outside every call is about to end it. */
export const DYING = 5;
/** From a worker: its start-up function has thrown. */
export const BROKEN = 6;

/** What a worker sends. */
export type FromWorker =
  | [kind: typeof RETURNED | typeof ITEM, id: number, value: unknown]
  | [kind: typeof THREW | typeof DYING | typeof BROKEN, id: number, error: Carried]
  | [kind: typeof PROGRESS, id: number, index: number, value: unknown]
  | [kind: typeof IDLE, calls: number];
