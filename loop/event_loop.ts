import type { Reason } from "./blocked.ts";
import { checkCallback, checkDelay } from "./arguments.ts";
import { RuntimeError } from "./errors.ts";
import type { ExceptionContext } from "./exceptions.ts";
import { type Exposed, ExposedPorts } from "./expose.ts";
import { Callback, type Handler } from "./handler.ts";
import { checkLoopOptions, type EventLoopOptions } from "./loop_options.ts";
import type { Pollable } from "./poll_source.ts";
import { Readiness } from "./readiness.ts";
import { Scheduler } from "./scheduler.ts";
import { Signals } from "./signals.ts";
import { Strand } from "./strand.ts";
import {
  checkpoint,
  OPEN,
  OUTSIDE,
  raisesTimeout,
  TASK,
  Wait,
  type WaitOptions,
  type Waker,
} from "./wait.ts";

/** The scheduler that the next loop stands before, where it was made before its loop. */
let waiting: Scheduler | null = null;

const forever: Reason = { describe: () => "EventLoop.switch()" };
const own: Reason = { describe: () => "EventLoop.switch(), a wait of the program's own" };
const foreign: Reason = { describe: () => "cooperate(), a foreign promise" };

/**
 * The event loop: it runs callbacks and resumes tasks, one at a time, in the order in which they became
 * ready. There is one for each thread.
 *
 * The main thread's is made when it is first needed, and it starts by itself when code outside every task
 * makes a blocking call. A program of tasks calls {@linkcode EventLoop.prototype.run}, which resolves when all
 * is done and rejects if the tasks wait for each other for ever.
 *
 * The interface follows PEP 3156, with milliseconds.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { EventLoop, sleep, spawn } from "@evergreen/evergreen";
 *
 * const loop = new EventLoop();
 * const log: number[] = [];
 * for (const n of [1, 2, 3]) {
 *   spawn(async () => {
 *     log.push(n);
 *     await sleep(0);
 *     log.push(n);
 *   });
 * }
 * await loop.run();
 * assertEquals(log, [1, 2, 3, 1, 2, 3]);
 * loop.destroy();
 * ```
 */
export class EventLoop {
  readonly #scheduler: Scheduler;
  readonly #signals: Signals;
  readonly #exposed: ExposedPorts;
  readonly #readiness: Readiness;

  /**
   * Makes the loop of this thread.
   *
   * @throws {RuntimeError} If the thread has one already, and it has not been destroyed.
   */
  constructor(options: EventLoopOptions = {}) {
    checkLoopOptions(options);
    this.#scheduler = waiting ?? Scheduler.create(options);
    this.#scheduler.face = this;
    this.#signals = new Signals(this.#scheduler);
    this.#exposed = new ExposedPorts(this.#scheduler);
    this.#readiness = new Readiness(this.#scheduler);
  }

  /**
   * The loop of this thread. The main thread's is made on demand.
   *
   * @throws {RuntimeError} In a Worker that has made none.
   */
  static current(): EventLoop {
    const scheduler = Scheduler.current();
    if (scheduler.face === null) {
      waiting = scheduler;
      try {
        new EventLoop();
      } finally {
        waiting = null;
      }
    }
    return scheduler.face as EventLoop;
  }

  /** Whether the loop has started and not ended: by `run()`, `runForever()`, or a call outside every task. */
  get running(): boolean {
    return this.#scheduler.active;
  }

  /**
   * Calls `callback` as soon as what is ready already has had its turn.
   *
   * @throws {TypeError} If `callback` is no function; a {@linkcode Handler} is none.
   */
  callSoon<A extends unknown[]>(callback: (...args: A) => void, ...args: A): Handler {
    checkCallback("call back", callback);
    this.#checkAlive();
    const handler = new Callback(this.#scheduler, callback, args);
    this.#scheduler.enqueue(handler);
    return handler;
  }

  /**
   * As {@linkcode EventLoop.prototype.callSoon}, and may be called from where other threads come in: from a
   * native callback (`Deno.UnsafeCallback.threadSafe`), for one.
   */
  callFromThread<A extends unknown[]>(callback: (...args: A) => void, ...args: A): Handler {
    return this.callSoon(callback, ...args);
  }

  /**
   * Calls `callback` after a delay.
   *
   * @param delay In milliseconds. Zero or less is {@linkcode EventLoop.prototype.callSoon}.
   * @throws {RangeError} If `delay` is NaN.
   */
  callLater<A extends unknown[]>(
    delay: number,
    callback: (...args: A) => void,
    ...args: A
  ): Handler {
    checkDelay("call later", delay);
    if (delay <= 0) return this.callSoon(callback, ...args);
    return this.#schedule(this.time() + delay, callback, args);
  }

  /**
   * Calls `callback` at a time.
   *
   * @param when In milliseconds on the loop's clock ({@linkcode EventLoop.prototype.time}). If it is past,
   * this is {@linkcode EventLoop.prototype.callSoon}.
   * @throws {RangeError} If `when` is NaN.
   */
  callAt<A extends unknown[]>(when: number, callback: (...args: A) => void, ...args: A): Handler {
    checkDelay("call at a time", when);
    if (when <= this.time()) return this.callSoon(callback, ...args);
    return this.#schedule(when, callback, args);
  }

  /** The loop's monotonic clock, in milliseconds. Only differences mean anything. */
  time(): number {
    return this.#scheduler.clock.time();
  }

  /**
   * Calls `callback` whenever the process gets `signal`. A signal may have many handlers, called in the
   * order in which they were added. The platform's own reaction to it is off while there is one.
   *
   * @throws {TypeError} If the platform cannot listen for that signal.
   */
  addSignalHandler<A extends unknown[]>(
    signal: Deno.Signal,
    callback: (...args: A) => void,
    ...args: A
  ): Handler {
    this.#checkAlive();
    return this.#signals.add(signal, callback, args);
  }

  /** Removes all handlers of `signal`. Returns whether there were any. */
  removeSignalHandler(signal: Deno.Signal): boolean {
    return this.#signals.remove(signal);
  }

  /**
   * Calls `callback` at each turn of the loop in which `source` can be read: there is data, or the end of it, or
   * an error. It is level-triggered, as in PEP 3156: what the callback leaves unread has it called again.
   *
   * A reader keeps {@linkcode EventLoop.prototype.run} going. If the descriptor is closed under it, it is
   * cancelled, and the exception handler is told within about a second; remove it before you close.
   *
   * @param source A raw file descriptor, on Linux and macOS with `--allow-ffi`, or a stream, socket or server of
   * this library.
   * @throws {RuntimeError} If `source` has a reader already.
   * @throws {RangeError} If it is a number that no descriptor can have.
   * @throws {TypeError} If it cannot be watched, or `callback` is no function.
   * @throws {BadResource} `Deno.errors.BadResource`, if the descriptor is not open.
   * @throws {NotSupported} `Deno.errors.NotSupported`, if it is a file, which is always ready, or on other systems.
   * @throws {NotCapable} `Deno.errors.NotCapable`, without `--allow-ffi`.
   */
  addReader<A extends unknown[]>(
    source: Pollable,
    callback: (...args: A) => void,
    ...args: A
  ): Handler {
    this.#checkAlive();
    return this.#readiness.add("read", source, callback, args);
  }

  /** Removes the reader of `source`. Returns whether there was one. */
  removeReader(source: Pollable): boolean {
    return this.#readiness.remove("read", source);
  }

  /** As {@linkcode EventLoop.prototype.addReader}, for when `source` can be written. */
  addWriter<A extends unknown[]>(
    source: Pollable,
    callback: (...args: A) => void,
    ...args: A
  ): Handler {
    this.#checkAlive();
    return this.#readiness.add("write", source, callback, args);
  }

  /** Removes the writer of `source`. Returns whether there was one. */
  removeWriter(source: Pollable): boolean {
    return this.#readiness.remove("write", source);
  }

  /**
   * The one primitive with which a task gives up control: it waits until its waker is called. Every blocking
   * call of the library is built on it.
   *
   * @param arm Gets the waker, to be called later, from anywhere, once. What it returns is called if the wait
   * ends in any other way (the task is killed or timed out). Without it the task waits until it is killed.
   * @throws Whatever `arm` throws, or the waker is given.
   *
   * @example
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { current } from "@evergreen/evergreen";
   *
   * const answer = await current.loop.switch<number>((waker) => {
   *   const timer = setTimeout(() => waker.wake(42), 1);
   *   return () => clearTimeout(timer);
   * });
   * assertEquals(answer, 42);
   * ```
   */
  switch<T = void>(arm?: (waker: Waker<T>) => (() => void) | void): Promise<T> {
    if (arm === undefined) {
      return checkpoint() ?? Wait.begin<T>(this.#scheduler, forever, TASK).promise;
    }
    try {
      checkCallback("switch", arm);
    } catch (error) {
      return Promise.reject(error);
    }
    const refused = checkpoint();
    if (refused !== undefined) return refused;
    const wait = Wait.begin<T>(this.#scheduler, own, OPEN);
    try {
      const leave = arm(new OwnWaker(wait));
      if (typeof leave === "function") wait.onLeave(leave);
    } catch (error) {
      wait.throw(error);
    }
    return wait.promise;
  }

  /**
   * Waits for any promise as a blocking call of this library: the task can be killed, timed out or aborted
   * meanwhile. The promise itself goes on, and if it fails later that is no unhandled rejection.
   *
   * @throws {TimeoutError} If it takes longer than `options.timeout`.
   */
  cooperate<T>(promise: PromiseLike<T>, options?: WaitOptions): Promise<T> {
    const refused = checkpoint(options);
    if (refused !== undefined) {
      Promise.resolve(promise).catch(() => {});
      return refused;
    }
    const wait = Wait.begin<T>(this.#scheduler, foreign, OUTSIDE);
    Promise.resolve(promise).then(
      (value) => wait.wake(value),
      (error) => wait.throw(error),
    );
    if (options?.timeout === 0) this.callSoon(() => wait.expire(raisesTimeout, 0));
    else if (options !== undefined) wait.limit(options, raisesTimeout);
    return wait.promise;
  }

  /**
   * Runs until nothing is left to do: no task alive but daemons, no callback, no timer, no I/O wait.
   *
   * @throws {DeadlockError} If every task waits for another one. `onDeadlock: "return"` resolves instead.
   * @throws {RuntimeError} If the loop is running or has ended, or a task calls.
   */
  async run(): Promise<void> {
    await this.#scheduler.run(false);
    this.#exposed.close();
  }

  /**
   * Runs until {@linkcode EventLoop.prototype.stop}.
   *
   * @throws {RuntimeError} If the loop is running or has ended, or a task calls.
   */
  async runForever(): Promise<void> {
    await this.#scheduler.run(true);
    this.#exposed.close();
  }

  /**
   * Ends the loop: what runs now goes on to its next blocking call, and nothing is resumed after it.
   *
   * @throws {RuntimeError} If the loop has not been started.
   */
  stop(): void {
    this.#scheduler.stop();
  }

  /**
   * Drops the loop with the tasks that are left, so that a new one can be made.
   *
   * @throws {RuntimeError} If the loop is running, or destroyed already.
   */
  destroy(): void {
    this.#scheduler.destroy();
    this.#signals.clear();
    this.#exposed.close();
    this.#readiness.clear();
  }

  /**
   * Lets other threads call `functions` by name, by {@linkcode connectLoop} on the port that this returns, once that
   * was transferred to them. The calls start here in order of arrival, each in a task of its own, so they may
   * block; results and errors go back. The port is closed when the other side closes or its thread ends, and
   * when this loop ends.
   *
   * @throws {TypeError} If one of them is no function.
   */
  expose(functions: Exposed): MessagePort {
    this.#checkAlive();
    return this.#exposed.expose(functions);
  }

  /**
   * Has errors that escape a task or a callback given to `handler`. With `null`, and from the start, they
   * are written to the console and the loop carries on.
   */
  setExceptionHandler(handler: ((context: ExceptionContext) => void) | null): void {
    if (handler !== null) checkCallback("set the exception handler", handler);
    this.#scheduler.onException = handler;
  }

  #schedule<A extends unknown[]>(
    when: number,
    callback: (...args: A) => void,
    args: A,
  ): Handler {
    checkCallback("call back", callback);
    this.#checkAlive();
    const scheduler = this.#scheduler;
    return new Callback(scheduler, callback, args)
      .schedule(when, Strand.current(scheduler).daemon);
  }

  #checkAlive(): void {
    if (this.#scheduler.destroyed) {
      throw new RuntimeError("Cannot use the loop: it has been destroyed");
    }
  }
}

/** What a user's own wait is woken with. */
class OwnWaker<T> implements Waker<T> {
  readonly #wait: Wait<T>;

  constructor(wait: Wait<T>) {
    this.#wait = wait;
  }

  get done(): boolean {
    return this.#wait.done;
  }

  wake(value: T): void {
    this.#wait.wake(value);
  }

  throw(error: unknown): void {
    this.#wait.throw(error);
  }
}

/**
 * Waits for any promise as a blocking call of this library: the task can be killed, timed out or aborted
 * meanwhile. See {@linkcode EventLoop.prototype.cooperate}.
 *
 * @throws {TimeoutError} If it takes longer than `options.timeout`.
 */
export function cooperate<T>(promise: PromiseLike<T>, options?: WaitOptions): Promise<T> {
  return EventLoop.current().cooperate(promise, options);
}
