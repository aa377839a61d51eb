/**
 * Runs tests on a loop of their own.
 *
 * A failed assertion inside a task is, for the loop, only an error to be reported. Here it fails the
 * test: {@linkcode runLoop} throws what its main task threw, and complains of every error that was
 * given to the exception handler without the test having asked for it.
 */
import {
  EventLoop,
  type EventLoopOptions,
  type ExceptionContext,
  spawn,
  Task,
  VirtualClock,
} from "../mod.ts";

/** What a test wants of its loop. */
export interface RunOptions extends EventLoopOptions {
  /** Given: errors given to the exception handler are collected here and do not fail the test. */
  reports?: ExceptionContext[];
}

/** What ended a body: its value or its error. */
export type Outcome<T> = { value: T } | { error: unknown };

/**
 * Runs `main` as the first task of a new loop until nothing is left to do.
 *
 * The clock is a virtual one unless `clock` is given; `clock: undefined` is the real one.
 *
 * @returns What `main` returned.
 */
export async function runLoop<T>(
  main: (loop: EventLoop) => T | Promise<T>,
  options: RunOptions = {},
): Promise<T> {
  let outcome: Outcome<T> | undefined;
  await withLoop(async (loop) => {
    new Task(async () => {
      outcome = await outcomeOf(() => main(loop));
    }, { name: "main" }).start();
    try {
      await loop.run();
    } catch (error) {
      // What went wrong in main says more than the deadlock that followed from it.
      if (outcome && "error" in outcome) throw outcome.error;
      throw error;
    }
  }, options);
  if (!outcome) throw new Error("The main task of the test did not end");
  if ("error" in outcome) throw outcome.error;
  return outcome.value;
}

/** Makes a loop, gives it to `body`, and destroys it; `body` runs it, or not. */
export async function withLoop(
  body: (loop: EventLoop) => unknown,
  { reports, ...options }: RunOptions = {},
): Promise<void> {
  dropLoop();
  const loop = new EventLoop({ clock: new VirtualClock(), ...options });
  const unasked: ExceptionContext[] = [];
  loop.setExceptionHandler((context) => void (reports ?? unasked).push(context));
  try {
    await body(loop);
  } finally {
    dropLoop();
  }
  if (unasked.length > 0) {
    throw new AggregateError(
      unasked.map((context) => context.error),
      `The exception handler was given: ${unasked.map((context) => context.message).join("; ")}`,
    );
  }
}

/** Destroys this thread's loop, whoever made it; `current()` makes one where there is none. */
export function dropLoop(): void {
  const loop = EventLoop.current();
  try {
    loop.destroy();
  } catch (error) {
    // A test that hung left it running. Its complaint is heard, but the next tests need a loop.
    loop.stop();
    setTimeout(() => loop.destroy(), 0);
    throw error;
  }
}

/** Calls `body` and tells how it ended, for tasks whose errors a test wants to look at. */
export async function outcomeOf<T>(
  body: () => T | PromiseLike<T>,
): Promise<Outcome<T>> {
  try {
    return { value: await body() };
  } catch (error) {
    return { error };
  }
}

/** A spawned task and how its body ended; `outcome` is undefined until then. */
export interface Witness<T> {
  readonly task: Task;
  outcome?: Outcome<T>;
}

/** Spawns `body` and keeps how it ended, a kill included, reporting nothing. */
export function witness<T>(body: () => T | PromiseLike<T>): Witness<T> {
  const seen: { task: Task; outcome?: Outcome<T> } = {
    task: spawn(async () => {
      seen.outcome = await outcomeOf(body);
    }),
  };
  return seen;
}

/** What `seen` threw; fails if it returned or did not end. */
export function errorOf(seen: Witness<unknown>): unknown {
  if (!seen.outcome) throw new Error(`${seen.task.name} did not end`);
  if (!("error" in seen.outcome)) {
    throw new Error(
      `${seen.task.name} gave ${Deno.inspect(seen.outcome.value)}, threw nothing`,
    );
  }
  return seen.outcome.error;
}

/** What `seen` returned; throws what it threw. */
export function valueOf<T>(seen: Witness<T>): T {
  if (!seen.outcome) throw new Error(`${seen.task.name} did not end`);
  if ("error" in seen.outcome) throw seen.outcome.error;
  return seen.outcome.value;
}
