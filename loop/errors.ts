/**
 * A call that makes no sense in the state things are in: starting a task twice, releasing a lock that
 * is not held, running a loop that has ended. It is what Python calls `RuntimeError`.
 */
export class RuntimeError extends Error {
  static {
    this.prototype.name = "RuntimeError";
  }
}

/** A wait took longer than its `timeout` allows. Nothing was taken and nothing is lost by it. */
export class TimeoutError extends Error {
  static {
    this.prototype.name = "TimeoutError";
  }
}

/**
 * Ends a task quietly: it is what {@linkcode Task.prototype.kill} throws into a task, and a task may
 * throw it by itself. It is never reported. Code that catches everything should throw it on.
 */
export class TaskExit extends Error {
  static {
    this.prototype.name = "TaskExit";
  }

  /** Makes one, with a message that says why the task ends. */
  constructor(message = "The task was killed", options?: ErrorOptions) {
    super(message, options);
  }
}

/**
 * An `Error` whose stack is that of the place where it arrives, not of the one where it was made. The platform's own
 * constructor records a stack, which takes longer than all else that a timeout does, and nearly every timeout is
 * made to be cancelled. So this one makes objects that are errors by their prototype only.
 */
export const LateError: ErrorConstructor = function () {} as unknown as ErrorConstructor;
Object.setPrototypeOf(LateError.prototype, Error.prototype);

/** Records the stack of a {@linkcode LateError}, if it has none yet, without what is above `at`. */
export function recordLate(error: unknown, at: unknown): void {
  if (error instanceof LateError && !Object.hasOwn(error, "stack")) {
    Error.captureStackTrace(error, at as (...args: never[]) => unknown);
  }
}
