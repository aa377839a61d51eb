import type { Reason } from "../loop/blocked.ts";
import { Line } from "../loop/line.ts";
import type { Watch } from "../loop/poll_source.ts";
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
  /** Those who want to hear that there is something, and take nothing. */
  readonly #onlookers = new Map<Watch, () => void>();
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
    wait.onLeave(() => this.#left());
    this.#ask();
    return wait.promise;
  }

  /** Makes a watch: it is ready when {@linkcode take} would not wait. */
  watch(notify: () => void): Watch {
    let closed = false;
    const watch: Watch = {
      arm: () => {
        if (closed) return;
        if (this.#spare.length > 0) return notify();
        this.#onlookers.set(watch, notify);
        this.#ask();
      },
      close: () => {
        closed = true;
        if (this.#onlookers.delete(watch)) this.#left();
      },
    };
    return watch;
  }

  /** What was brought and not taken, for nobody any more. */
  drain(): T[] {
    return this.#spare.splice(0);
  }

  #ask(): void {
    if (this.#pending) this.#needed(true);
    else this.#call();
  }

  #left(): void {
    if (this.#line.first === null && this.#onlookers.size === 0 && this.#pending) {
      this.#needed(false);
    }
  }

  #tell(): void {
    const all = [...this.#onlookers.values()];
    this.#onlookers.clear();
    for (const notify of all) notify();
  }

  #call(): void {
    this.#pending = true;
    this.#next().then((value) => {
      this.#pending = false;
      const first = this.#line.first;
      if (first === null) this.#spare.push(value);
      else first.wake(value);
      this.#tell();
      if (this.#line.first !== null) this.#call();
      else this.#needed(true);
    }, (error) => {
      this.#pending = false;
      for (let first = this.#line.first; first !== null; first = this.#line.first) {
        first.throw(error);
      }
      this.#tell();
    });
  }
}
