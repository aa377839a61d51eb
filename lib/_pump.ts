import type { Reason } from "../loop/blocked.ts";
import { Line } from "../loop/line.ts";
import { Scheduler } from "../loop/scheduler.ts";
import { checkpoint, OUTSIDE, Wait } from "../loop/wait.ts";

/**
 * Calls something of the platform's that gives one thing after the other, one call at a time and none while nobody
 * waits. A call cannot be taken back: what it brings when its waiter has given up is there for the next one.
 */
export class Pump<T> {
  readonly #next: () => Promise<T>;
  readonly #needed: (needed: boolean) => void;
  readonly #line: Line<T>;
  readonly #spare: T[] = [];
  #pending = false;

  /**
   * @param describe What is waited for.
   * @param next Calls the platform.
   * @param needed Told whether anybody waits for the call that is under way.
   */
  constructor(describe: () => string, next: () => Promise<T>, needed: (needed: boolean) => void) {
    this.#line = new Line<T>(describe);
    this.#next = next;
    this.#needed = needed;
  }

  take(): Promise<T> {
    const refused = checkpoint();
    if (refused !== undefined) return refused;
    if (this.#spare.length > 0) return Promise.resolve(this.#spare.shift()!);
    const wait = Wait.begin<T>(Scheduler.current(), this.#line as Reason, OUTSIDE);
    this.#line.add(wait);
    wait.onLeave(() => {
      if (this.#line.first === null && this.#pending) this.#needed(false);
    });
    if (this.#pending) this.#needed(true);
    else this.#call();
    return wait.promise;
  }

  /** What was brought and not taken, for nobody any more. */
  drain(): T[] {
    return this.#spare.splice(0);
  }

  #call(): void {
    this.#pending = true;
    this.#next().then((value) => {
      this.#pending = false;
      const first = this.#line.first;
      if (first === null) this.#spare.push(value);
      else first.wake(value);
      if (this.#line.first !== null) this.#call();
      else this.#needed(true);
    }, (error) => {
      this.#pending = false;
      for (let first = this.#line.first; first !== null; first = this.#line.first) {
        first.throw(error);
      }
    });
  }
}
