import { type Clock, systemClock } from "./clock.ts";

/** What wakes a loop that has nothing to do: at most one timer of the platform, none while nobody waits for one. */
export class LoopAlarm {
  readonly #ring: () => void;
  #when = Infinity;
  #keep = true;
  #cancel: (() => void) | null = null;

  constructor(ring: () => void) {
    this.#ring = () => {
      this.#cancel = null;
      ring();
    };
  }

  get isSet(): boolean {
    return this.#cancel !== null;
  }

  /**
   * Sees to it that it rings at `when` on `clock`, or before. With `stay` it is set even if that is never, which
   * keeps the process alive.
   *
   * @param keep Whether the process stays alive for it.
   */
  set(when: number, clock: Clock, stay: boolean, keep: boolean): void {
    if (when === Infinity && !stay) return this.clear();
    // One that rings too early finds nothing due and is set anew: cheaper than setting it each time.
    if (this.#cancel !== null && this.#when <= when && this.#keep === keep) return;
    this.clear();
    this.#when = when;
    this.#keep = keep;
    this.#cancel = (when === Infinity ? systemClock : clock).wakeAt(when, this.#ring, keep);
  }

  clear(): void {
    this.#cancel?.();
    this.#cancel = null;
  }
}
