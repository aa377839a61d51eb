import { Line } from "../loop/line.ts";
import { checkpoint, givesFalse, type WaitOptions } from "../loop/wait.ts";
import { type Selectable, selectable } from "../tasks/selectable.ts";

const TRUE = Promise.resolve(true);

/**
 * A flag that tasks can wait for. Setting it wakes all who wait, in the order in which they came. It is Python's
 * `threading.Event`; the platform's class of that name is `globalThis.Event`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Event, spawn } from "@evergreen/evergreen";
 *
 * const ready = new Event();
 * const log: string[] = [];
 * const waiter = spawn(async () => {
 *   await ready.wait();
 *   log.push("go");
 * });
 * ready.set();
 * await waiter.join();
 * assertEquals(log, ["go"]);
 * ```
 */
export class Event {
  #set = false;
  readonly #line = new Line<boolean>(describe);

  /** Whether it is set. */
  isSet(): boolean {
    return this.#set;
  }

  /** Sets it, and wakes all who wait. */
  set(): void {
    this.#set = true;
    this.#line.wakeAll(true);
  }

  /** Clears it. Who was woken already is woken all the same. */
  clear(): void {
    this.#set = false;
  }

  /**
   * Waits until it is set.
   *
   * @returns `true`, or `false` when the timeout passes.
   */
  wait(options?: WaitOptions): Promise<boolean> {
    const refused = checkpoint(options);
    if (refused !== undefined) return refused;
    return this.#set ? TRUE : this.#line.wait(givesFalse, options);
  }

  /** {@linkcode Event.prototype.wait} as a case of {@linkcode select}; it gives `true`. */
  waiting(): Selectable<true> {
    return selectable<true>({
      poll: () => this.#set ? { value: true } : null,
      enlist: (waiter) => this.#line.add(waiter),
      describe,
    });
  }
}

function describe(): string {
  return "Event.wait()";
}
