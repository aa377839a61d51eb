import { registerErrorClass } from "../loop/carried_error.ts";
import { RuntimeError } from "../loop/errors.ts";

/**
 * The thread or process that made a call died under it. The message says how; the cause is the error that
 * killed it, if one did. Other calls are not concerned, and the executor goes on.
 */
export class BrokenExecutor extends RuntimeError {
  static {
    this.prototype.name = "BrokenExecutor";
    registerErrorClass(this);
  }
}
