import { CallStream, mailboxOf } from "./call_stream.ts";
import { Future, terminateBy } from "./future.ts";
import { closeProgress, Progress } from "./progress.ts";
import { PULL, RETURN, type ToWorker, WINDOW } from "./_worker_messages.ts";

/** What an errand may ask of the worker that runs it. */
export interface Runner {
  /** Sends it something about the errand. */
  tell(message: ToWorker): void;
  /** Ends it, whatever it does. */
  terminate(): void;
}

/** A call on its way to a worker and back. */
export interface Errand {
  readonly id: number;
  /** The message that starts it, ready to be sent. */
  readonly packed: unknown;
  /** A worker takes it. Returns `false` if it is not wanted any more. */
  begin(runner: Runner): boolean;
  /** Takes it back if it has not begun. */
  cancel(): void;
  progress(index: number, value: unknown): void;
  item(value: unknown): void;
  returned(value: unknown): void;
  threw(error: unknown): void;
}

/** A call that has one result. */
export class CallErrand implements Errand {
  readonly future: Future<unknown> = new Future<unknown>();

  constructor(readonly id: number, readonly packed: unknown, readonly args: readonly unknown[]) {
    if (args.some((arg) => arg instanceof Progress)) {
      this.future.addDoneCallback(() => closeProgress(args));
    }
  }

  begin(runner: Runner): boolean {
    if (!this.future.setRunningOrNotifyCancel()) return false;
    terminateBy(this.future, () => runner.terminate());
    return true;
  }

  cancel(): void {
    this.future.cancel();
  }

  progress(index: number, value: unknown): void {
    (this.args[index] as Progress<unknown>).send(value);
  }

  item(): void {}

  returned(value: unknown): void {
    if (!this.future.done) this.future.setResult(value);
  }

  threw(error: unknown): void {
    if (!this.future.done) this.future.setException(error);
  }
}

/** A call that yields. */
export class StreamErrand implements Errand {
  readonly stream: CallStream<unknown>;
  #runner: Runner | null = null;
  #taken = 0;
  #over = false;

  constructor(readonly id: number, readonly packed: unknown, readonly args: readonly unknown[]) {
    this.stream = new CallStream<unknown>({
      taken: () => this.#pull(),
      leave: () => {
        if (!this.#over) this.#runner?.tell([RETURN, id]);
        if (this.#runner === null) this.#end();
      },
      terminate: () => {
        const runner = this.#runner;
        if (!this.#over) runner?.terminate();
        this.#end();
      },
    });
  }

  begin(runner: Runner): boolean {
    if (this.#over) return false;
    this.#runner = runner;
    return true;
  }

  cancel(): void {
    if (this.#runner !== null || this.#over) return;
    this.#end();
    mailboxOf(this.stream).close();
  }

  progress(index: number, value: unknown): void {
    (this.args[index] as Progress<unknown>).send(value);
  }

  item(value: unknown): void {
    mailboxOf(this.stream).push(value);
  }

  returned(): void {
    this.#end();
    mailboxOf(this.stream).close();
  }

  threw(error: unknown): void {
    this.#end();
    mailboxOf(this.stream).close(error);
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    closeProgress(this.args);
  }

  /** Asks for more; not for each one, which would be a message for each. */
  #pull(): void {
    if (++this.#taken % (WINDOW / 2) === 0 && !this.#over) {
      this.#runner?.tell([PULL, this.id, WINDOW / 2]);
    }
  }
}
