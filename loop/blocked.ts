import type { Ready } from "./ready.ts";
import { recordLate, TaskExit } from "./errors.ts";

/** What somebody waits for, as a deadlock report says it. */
export interface Reason {
  /** For example "Lock.acquire(), held by Task-1". */
  describe(): string;
}

/** A place where a strand is blocked. */
export interface Blocked extends Ready {
  readonly reason: Reason;
  /** Ends it with `error`, unless it is ended already. Returns whether it did. */
  interrupt(error: unknown): boolean;
  /** Ends it without its strand, which has ended. */
  abandon(): void;
  /** Leaves what it stands in, and never settles. */
  drop(): void;
  /**
   * Finds the place in the code that awaits it, and ends nothing. A place costs nothing until a report asks
   * for it: no stack is recorded when a strand blocks.
   */
  locate(found: (stack: string) => void): void;
}

/**
 * Settles the promise that adopts it with an error that is made as late as possible: one that is made while a
 * promise adopts a thenable carries the stack of the code that awaits the promise.
 */
export class Thrower {
  /** @param fresh Whether `make` makes a new error, whose stack is to begin at the code that awaits. */
  constructor(readonly make: () => unknown, readonly fresh = false) {}

  then(_resolve: unknown, reject: (error: unknown) => void): void {
    const error = this.make();
    if (this.fresh && error instanceof Error) {
      Error.captureStackTrace(error, Thrower.prototype.then);
    } else recordLate(error, Thrower.prototype.then);
    reject(error);
  }
}

/** What a call ends with that its task left behind when it ended. */
export const leftBehind = new Thrower(() => new TaskExit("The task that waited here has ended"));

/** Finds the stack of the code that awaits the promise that adopts it, and leaves that promise pending. */
export class Locator {
  constructor(
    readonly found: (stack: string) => void,
    readonly adopted: (resolve: (value: unknown) => void) => void,
  ) {}

  then(resolve: (value: unknown) => void): void {
    this.adopted(resolve);
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 64;
    this.found(new Error().stack ?? "");
    Error.stackTraceLimit = limit;
  }
}
