import { checkDelay } from "../loop/arguments.ts";
import { LateError, RuntimeError } from "../loop/errors.ts";
import { Scheduler } from "../loop/scheduler.ts";
import type { Level } from "../loop/interruptions.ts";
import { Strand } from "../loop/strand.ts";
import { Alarm } from "../loop/timers.ts";

/**
 * A time that a part of a task may take. When it has passed, the timeout throws itself, or the error it was
 * given, into the task that started it, out of whatever call it waits in.
 *
 * Timeouts nest: `error === timeout` tells whose time has passed. One that is cancelled, or whose block was
 * left, throws nothing any more, not even if its time had passed already and the error had not arrived.
 * After Python's eventlet and gevent.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { sleep, Timeout } from "@evergreen/evergreen";
 *
 * const timeout = new Timeout(5);
 * try {
 *   await timeout.run(() => sleep(60_000));
 * } catch (error) {
 *   assertEquals(error, timeout);
 * }
 *
 * // With `false` it gives undefined in place of throwing.
 * assertEquals(await new Timeout(5, false).run(() => sleep(60_000)), undefined);
 *
 * {
 *   using _ = new Timeout(1_000).start(); // Covers the rest of the block.
 *   await sleep(1);
 * }
 * ```
 */
export class Timeout extends LateError implements Disposable {
  static {
    this.prototype.name = "Timeout";
  }

  /** After how many milliseconds it throws; `null` or less than zero: never. */
  readonly delay: number | null;
  readonly #exception: unknown;
  #started = false;
  #strand: Strand | null = null;
  #level: Level | null = null;
  #alarm: Alarm | null = null;
  #thrown: unknown = undefined;

  /**
   * Makes a timeout, to be started by `start()` or `run()`.
   *
   * @param delay In milliseconds. `null`, `undefined` or less than zero: it never throws.
   * @param exception An error, or a class of errors to make one of, to be thrown in its place. `false`: it
   * throws itself, and {@linkcode Timeout.prototype.run} gives `undefined` then.
   * @throws {RangeError} If `delay` is NaN.
   */
  constructor(delay?: number | null, exception?: unknown) {
    super();
    if (delay !== undefined && delay !== null) checkDelay("make a timeout", delay);
    this.delay = delay ?? null;
    this.#exception = exception;
  }

  /** What it says as an error. */
  override get message(): string {
    return this.delay === null ? "Timed out" : `Timed out after ${this.delay} ms`;
  }

  /** Whether it will throw when its time has passed. */
  get pending(): boolean {
    // Libraries that wrap errors copy all properties, and ask the prototype for its own, too.
    return #alarm in this && this.#alarm !== null && this.#alarm.armed;
  }

  /**
   * Starts the time, for the current task.
   *
   * @throws {RuntimeError} If it was started already and not cancelled since.
   */
  start(): this {
    if (this.#started) {
      throw new RuntimeError("Cannot start the timeout: it was started already; cancel() it first");
    }
    this.#started = true;
    if (this.delay !== null && this.delay >= 0) {
      const scheduler = Scheduler.current();
      this.#strand = Strand.current(scheduler);
      this.#level = this.#strand.level();
      this.#alarm = new Alarm(() => this.#fire());
      scheduler.timerIn(this.delay, this.#alarm);
    }
    return this;
  }

  /** Sees to it that it throws nothing. It may be started again. */
  cancel(): void {
    this.#started = false;
    const strand = this.#strand;
    if (strand === null) return;
    this.#strand = null;
    if (this.pending) strand.scheduler.cancelTimer(this.#alarm!);
    else strand.revoke(this.#thrown);
  }

  /**
   * Starts it, runs `body`, and cancels it.
   *
   * @returns What `body` returns; `undefined` if the time has passed and the exception is `false`.
   * @throws {Timeout} This one, or its exception, if the time has passed.
   * @throws {RuntimeError} If it was started already.
   */
  async run<T>(body: () => Promise<T> | T): Promise<T | undefined> {
    this.start();
    try {
      return await body();
    } catch (error) {
      if (error === this && this.#exception === false) return undefined;
      throw error;
    } finally {
      this.cancel();
    }
  }

  /** {@linkcode Timeout.prototype.cancel} */
  [Symbol.dispose](): void {
    this.cancel();
  }

  #fire(): void {
    this.#thrown = this.#toThrow();
    this.#strand!.throw(this.#thrown, this.#level!);
  }

  #toThrow(): unknown {
    const exception = this.#exception;
    if (exception === undefined || exception === null || typeof exception === "boolean") {
      return this;
    }
    return typeof exception === "function" ? new (exception as new () => unknown)() : exception;
  }
}
