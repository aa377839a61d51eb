import { findBlocked } from "./deadlock.ts";
import type { Scheduler } from "./scheduler.ts";

let watching = false;

/**
 * Sees to it that a program does not end in silence while tasks are left: that were never run, because nobody
 * ran the loop, or that wait for something that can no longer come. Such an end is an error, with exit code 1.
 *
 * The platform ends a program when nothing keeps it, and says nothing of what is still waiting. A program that
 * calls `Deno.exit` means it, and is not asked.
 */
export function watchForTheEnd(current: () => Scheduler | null): void {
  if (watching) return;
  watching = true;
  let said = false;
  addEventListener("beforeunload", (event) => {
    const scheduler = current();
    if (said || scheduler === null || scheduler.census.tasks === 0 || scheduler.silent) return;
    said = true;
    if (Deno.exitCode === 0) Deno.exitCode = 1;
    if (!scheduler.started) return reportUnrun(scheduler);
    event.preventDefault(); // The places are found in microtasks, which are to run before the end.
    findBlocked(scheduler, (_, lines) => {
      console.error(
        `The program ends, and tasks are left that nothing can wake:\n${lines.join("\n")}`,
      );
    });
  });
}

function reportUnrun(scheduler: Scheduler): void {
  const names = scheduler.census.strands().filter((strand) => !strand.daemon)
    .map((strand) => strand.task?.name);
  const tasks = names.length === 1
    ? "a task has never run"
    : `${names.length} tasks have never run`;
  console.error(
    `The program ends, and ${tasks}, because nobody ran the event loop: ${shortened(names)}. ` +
      "Run it at the end of the program: await EventLoop.current().run()",
  );
}

function shortened(names: (string | undefined)[]): string {
  return names.length <= 10 ? names.join(", ") : `${names.slice(0, 10).join(", ")}, ...`;
}
