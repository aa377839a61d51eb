import { systemClock } from "./clock.ts";

/** How long a loop may be busy, in milliseconds, while somebody waits for I/O, before it sees to it that I/O is polled. */
const PATIENCE = 5;

/**
 * Gives a busy loop its next macrotask.
 *
 * An immediate is the cheapest. But while there is always one, Deno polls I/O only at every 61st, for so often does
 * its executor run what is ready before it looks at anything else. So from time to time the loop waits for a very
 * short job that another thread does: then this one has nothing ready, and looks. Of the operations that go to
 * another thread this is one that needs no permission and holds nothing.
 */
export class Turns {
  readonly #turn: () => void;
  /** Since when the loop has been busy, or I/O was polled last; 0 while it is idle. */
  #since = 0;

  constructor(turn: () => void) {
    this.#turn = turn;
  }

  /**
   * Gives the next one, once all microtasks have run.
   *
   * @param polling Whether somebody waits for I/O.
   */
  next(polling: boolean): void {
    if (!polling) {
      setImmediate(this.#turn);
      return;
    }
    const now = systemClock.time();
    if (this.#since === 0) this.#since = now;
    if (now - this.#since < PATIENCE) {
      setImmediate(this.#turn);
    } else {
      this.#since = 0;
      crypto.subtle.digest("SHA-1", nothing).then(this.#turn);
    }
  }

  /** The loop is idle. */
  rest(): void {
    this.#since = 0;
  }
}

const nothing = new Uint8Array();

/** How long a burst may last, in milliseconds. */
const SLICE = 1;
/** How many entries may run at the most before the clock is looked at. */
const STRIDE = 128;

/**
 * Tells when the time of a burst is over. Looking at the clock costs more than a switch does, so it is done the more
 * rarely the less the entries do.
 */
export class Pace {
  /** At which entry of the burst {@linkcode isOver} wants to be asked. */
  look = 1;
  #stride = 1;
  #began = 0;
  #looked = 0;

  begin(): void {
    this.look = this.#stride;
    this.#began = 0;
  }

  isOver(): boolean {
    const now = systemClock.time();
    if (this.#began === 0) this.#began = this.#looked = now;
    const took = now - this.#looked;
    this.#looked = now;
    if (took < SLICE / 16) this.#stride = Math.min(this.#stride * 2, STRIDE);
    else if (took > SLICE / 4) this.#stride = Math.max(this.#stride >> 2, 1);
    this.look += this.#stride;
    return now - this.#began >= SLICE;
  }
}
