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
export function reportToConsole(context: ExceptionContext): void {
  console.error(`${context.message}:`, context.error);
}
