import { checkCallback } from "../loop/arguments.ts";
import { startCallsBy } from "../loop/expose.ts";
import { Task } from "./task.ts";

/**
 * Starts a task that runs `target(...args)`. It begins when those who are ready already have had their turn.
 *
 * @throws {TypeError} If `target` is no function.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { spawn } from "@evergreen/evergreen";
 *
 * let sum = 0;
 * const adder = spawn((a: number, b: number) => sum = a + b, 1, 2);
 * await adder.join();
 * assertEquals(sum, 3);
 * ```
 */
export function spawn<A extends unknown[]>(target: (...args: A) => unknown, ...args: A): Task {
  checkCallback("spawn a task", target);
  const options = args.length === 0 ? undefined : { args };
  return new Task(target as (...args: never[]) => unknown, options).start();
}

/**
 * Makes a function, or as `@task` a method, that runs in a task of its own each time it is called. It
 * returns that {@linkcode Task} at once.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { task } from "@evergreen/evergreen";
 *
 * const log: string[] = [];
 * const greet = task((name: string) => log.push(`hello ${name}`));
 * await greet("world").join();
 * assertEquals(log, ["hello world"]);
 * ```
 */
export function task<This, A extends unknown[], R>(
  target: (this: This, ...args: A) => R,
  // deno-lint-ignore no-explicit-any
  context: ClassMethodDecoratorContext<This, any>,
  // deno-lint-ignore no-explicit-any
): any;
/** Makes a function that runs `target` in a task of its own each time it is called. */
export function task<A extends unknown[]>(target: (...args: A) => unknown): (...args: A) => Task;
export function task<A extends unknown[]>(
  target: (...args: A) => unknown,
  context?: ClassMethodDecoratorContext,
): (...args: A) => Task {
  checkCallback("make a task of", target);
  if (context !== undefined && context.kind !== "method") {
    throw new TypeError(`Cannot use @task on a ${context.kind}: it is for methods`);
  }
  return function (this: unknown, ...args: A): Task {
    return spawn(() => target.apply(this, args));
  };
}

startCallsBy(spawn);
