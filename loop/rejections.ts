import { TaskExit } from "./errors.ts";

let installed = false;

/**
 * From now on, a promise that is rejected with a {@linkcode TaskExit} and that nobody looks at is no
 * unhandled rejection.
 *
 * A task may leave a call of its own running that it never awaits (the loser of a `Promise.race`, a
 * helper called without `await`). When the task ends, that call must end too, so that its `finally` blocks
 * run, and there is nobody to tell. Without this the platform would end the program for it.
 */
export function reapTaskExits(): void {
  if (installed) return;
  installed = true;
  addEventListener("unhandledrejection", (event) => {
    if (event.reason instanceof TaskExit) event.preventDefault();
  });
}
