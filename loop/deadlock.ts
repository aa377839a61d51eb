import { RuntimeError } from "./errors.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Strand } from "./strand.ts";
import type { Task } from "../tasks/task.ts";

/** Every task waits for another one, and nothing can ever wake any of them. The message lists them. */
export class DeadlockError extends RuntimeError {
  static {
    this.prototype.name = "DeadlockError";
  }

  /** The tasks that are blocked, in the order in which they were started. */
  readonly tasks: readonly Task[];

  /** Makes one about `tasks`. */
  constructor(message: string, tasks: readonly Task[]) {
    super(message);
    this.tasks = tasks;
  }
}

/** Where the library's own files are: a report names the user's. */
const library = new URL("../", import.meta.url).href;
const folders = ["loop", "tasks", "sync", "io", "patcher"].map((name) => `${library}${name}/`);

/** Finds where everybody waits, then gives the error that says so. */
export function describeDeadlock(scheduler: Scheduler, done: (error: DeadlockError) => void): void {
  const blocked: Strand[] = [...scheduler.strands()].reverse();
  if (scheduler.main.blocked) blocked.unshift(scheduler.main);
  const lines: string[][] = blocked.map(() => []);
  blocked.forEach((strand, index) => {
    for (const wait of strand.waits()) {
      const reason = wait.reason.describe();
      wait.locate((stack) => {
        const name = strand.task?.name ?? "the main task";
        const kind = strand.daemon ? " (daemon)" : "";
        lines[index].push(`  ${name}${kind} waits in ${reason}, ${placeIn(stack)}`);
      });
    }
  });
  // Each place is found in a microtask of its own; those are queued by now.
  queueMicrotask(() => {
    const tasks = blocked.flatMap((strand) => strand.task ?? []);
    const list = lines.flat().join("\n");
    done(
      new DeadlockError(
        `Every task waits for another one, and nothing can wake any of them:\n${list}`,
        tasks,
      ),
    );
  });
}

/** The first place in a stack that is not in this library. */
function placeIn(stack: string): string {
  for (const line of stack.split("\n").slice(1)) {
    const place = line.match(/\(?((?:file|https?|data|blob|npm|jsr):[^\s)]+:\d+:\d+)\)?$/)?.[1];
    if (place !== undefined && !folders.some((folder) => place.startsWith(folder))) {
      return `at ${place}`;
    }
  }
  return "at a place that the stack does not show";
}
