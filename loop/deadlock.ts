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
    // The places that matter are in the message. Where the loop noticed is nobody's concern.
    this.stack = `${this.name}: ${message}`;
  }
}

/** Finds where everybody waits, then gives the error that says so. */
export function describeDeadlock(scheduler: Scheduler, done: (error: DeadlockError) => void): void {
  findBlocked(scheduler, (blocked, lines) => {
    const tasks = blocked.flatMap((strand) => strand.task ?? []);
    const message = "Every task waits for another one, and nothing can wake any of them:\n";
    done(new DeadlockError(message + lines.join("\n"), tasks));
  });
}

/** Where the library's own files are: a report names the user's. */
const library = new URL("../", import.meta.url).href;
const folders = ["loop", "tasks", "sync", "io", "lib", "patcher", "ext"].map((name) =>
  `${library}${name}/`
);

/** Gives who is blocked, in the order in which they were started, and a line for each place where one waits. */
export function findBlocked(
  scheduler: Scheduler,
  found: (blocked: Strand[], lines: string[]) => void,
): void {
  const blocked = scheduler.census.strands().filter((strand) => strand.blocked);
  if (scheduler.main.blocked) blocked.unshift(scheduler.main);
  const lines: string[][] = blocked.map(() => []);
  blocked.forEach((strand, index) => {
    for (const wait of strand.waits()) {
      const reason = wait.reason.describe();
      wait.locate((stack) => {
        const name = strand.task?.name ?? "MainTask";
        const kind = strand.daemon ? " (daemon)" : "";
        lines[index].push(`  ${name}${kind} waits in ${reason}, ${placeIn(stack)}`);
      });
    }
  });
  // Each place is found in a microtask of its own; those are queued by now.
  queueMicrotask(() => found(blocked, lines.flat()));
}

/** The first place in a stack that is not in this library. */
function placeIn(stack: string): string {
  for (const line of stack.split("\n").slice(1)) {
    const place = line.match(/\(?((?:file|https?|data|blob|npm|jsr):[^\s)]+:\d+:\d+)\)?$/)?.[1];
    if (place !== undefined && !folders.some((folder) => place.startsWith(folder))) {
      return `at ${place}`;
    }
  }
  return "whose promise is not awaited by an async function";
}
