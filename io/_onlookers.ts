import type { Watch } from "../loop/poll_source.ts";

/** Those who look whether something is ready, and take nothing of it. */
export class Onlookers {
  /** The armed ones. */
  readonly #armed = new Map<Watch, () => void>();

  /** How many are to be told. Asked at every read and write, so it is kept besides the map. */
  size = 0;

  /**
   * Makes a watch.
   *
   * @param look Sees to it that somebody tells when it is ready. Returns whether it is now.
   * @param left Called when one that was to be told does not want to know any more.
   */
  add(notify: () => void, look: () => boolean, left: () => void = () => {}): Watch {
    const armed = this.#armed;
    let closed = false;
    const watch: Watch = {
      arm: (): void => {
        if (closed || armed.has(watch)) return;
        armed.set(watch, notify);
        this.size++;
        if (look() && this.#disarm(watch)) notify();
      },
      close: (): void => {
        closed = true;
        if (this.#disarm(watch)) left();
      },
    };
    return watch;
  }

  /** It is ready: tells all. */
  notify(): void {
    if (this.size === 0) return;
    const all = [...this.#armed.values()];
    this.#armed.clear();
    this.size = 0;
    for (const notify of all) notify();
  }

  #disarm(watch: Watch): boolean {
    const was = this.#armed.delete(watch);
    if (was) this.size--;
    return was;
  }
}
