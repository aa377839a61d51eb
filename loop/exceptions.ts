import type { Handler } from "./handler.ts";
import type { Task } from "../tasks/task.ts";

/** What is known of an error that nobody caught. */
export interface ExceptionContext {
  /** The error itself. */
  error: unknown;
  /** The task that it ended. */
  task?: Task;
  /** The callback that threw it. */
  handler?: Handler;
  /** A sentence that says where it came from. */
  message: string;
}

/** What happens to such errors unless the program wants it otherwise. */
function reportToConsole(context: ExceptionContext): void {
  console.error(`${context.message}:`, context.error);
}

/** Gives an error to `handler`, or to the console where there is none or it fails itself. */
export function report(
  context: ExceptionContext,
  handler: ((context: ExceptionContext) => void) | null,
): void {
  if (handler === null) return reportToConsole(context);
  try {
    handler(context);
  } catch (error) {
    reportToConsole(context);
    reportToConsole({ error, message: "Unhandled error in the exception handler" });
  }
}
