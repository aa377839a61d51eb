import { Scheduler } from "../loop/scheduler.ts";
import type { Level } from "../loop/interruptions.ts";
import { Strand } from "../loop/strand.ts";

/** Throws a signal's reason into the task that made this, when the signal aborts before this is disposed. */
export class AbortScope implements Disposable {
  readonly #strand: Strand = Strand.current(Scheduler.current());
  readonly #level: Level = this.#strand.level();
  readonly #signal: AbortSignal | undefined;
  readonly #abort = (): void => this.#strand.throw(this.#signal!.reason, this.#level);

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
    signal?.addEventListener("abort", this.#abort, { once: true });
  }

  [Symbol.dispose](): void {
    if (this.#signal === undefined) return;
    this.#signal.removeEventListener("abort", this.#abort);
    if (this.#signal.aborted) this.#strand.revoke(this.#signal.reason);
  }
}
