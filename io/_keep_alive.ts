// Not those that a program may put in their place later.
const { setInterval, clearInterval, setImmediate } = globalThis;

/**
 * Keeps the program alive while somebody waits for something that does not. It lets go a turn later than it
 * could, so that one who waits again and again costs nothing.
 */
export class KeepAlive {
  readonly #wanted: () => boolean;
  #timer: ReturnType<typeof setInterval> | null = null;
  #checking = false;

  constructor(wanted: () => boolean) {
    this.#wanted = wanted;
  }

  /** Somebody waits now. */
  hold(): void {
    this.#timer ??= setInterval(this.#look, 1_000_000_000);
  }

  /** Somebody does not wait any more. */
  release(): void {
    if (this.#checking || this.#timer === null) return;
    this.#checking = true;
    setImmediate(this.#look);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  readonly #look = (): void => {
    this.#checking = false;
    if (!this.#wanted()) this.stop();
  };
}
