import { revive } from "../loop/carried_error.ts";
import type { Errand } from "./_errand.ts";
import type { Remote, WorkerKind } from "./_worker_kind.ts";
import {
  BROKEN,
  DYING,
  type FromWorker,
  IDLE,
  ITEM,
  PROGRESS,
  RETURNED,
  THREW,
} from "./_worker_messages.ts";
import { BrokenExecutor } from "./broken_executor.ts";

/** What a pool is told of a worker. */
interface PooledEvents {
  /** Its call is over, and about to be settled. */
  done(): void;
  /** It has been idle for as long as it may. */
  idle(): void;
  /** It is gone, and its call, if it had one, is about to fail. */
  died(): void;
}

/** A worker in a pool, and the call it makes. */
export class PooledWorker {
  readonly #kind: WorkerKind;
  readonly #remote: Remote;
  readonly #events: PooledEvents;
  #errand: Errand | null = null;
  #calls = 0;
  #busy = false;
  #broken: { why: string; cause: unknown } | null = null;

  constructor(kind: WorkerKind, events: PooledEvents) {
    this.#kind = kind;
    this.#events = events;
    this.#remote = kind.start({
      message: (message) => this.#receive(message),
      gone: (how, cause) => this.#gone(how, cause),
    });
  }

  /** How many calls it has made. */
  get calls(): number {
    return this.#calls;
  }

  get stopped(): Int32Array | null {
    return this.#remote.stopped;
  }

  send(packed: unknown): void {
    this.#remote.send(packed);
  }

  /** Has it make a call. Returns `false` if that is not wanted any more. */
  run(errand: Errand): boolean {
    const remote = this.#remote;
    const wanted = errand.begin({
      tell: (message) => {
        if (this.#errand === errand) remote.send(this.#kind.pack(message, []));
      },
      terminate: () => {
        if (this.#errand === errand) this.#terminate();
      },
    });
    if (!wanted) return false;
    this.#errand = errand;
    this.#broken = null;
    if (!this.#busy) remote.ref();
    this.#busy = true;
    remote.send(errand.packed);
    return true;
  }

  /** There is no call for it: the program need not stay for it. */
  rest(): void {
    this.#busy = false;
    this.#remote.unref();
  }

  /** Ends it, when it has no call. */
  end(): void {
    this.#remote.ref();
    this.#remote.end();
  }

  #terminate(): void {
    this.#errand = null;
    if (this.stopped !== null) Atomics.store(this.stopped, 0, 1);
    this.#remote.terminate();
  }

  #receive(message: FromWorker): void {
    if (message[0] === IDLE) {
      if (message[1] === this.#calls) this.#events.idle();
      return;
    }
    if (message[0] === DYING) {
      const cause = revive(message[2]);
      this.#broken = { why: `an error was thrown outside the call: ${cause}`, cause };
      return;
    }
    const errand = this.#errand;
    if (errand === null) return;
    if (message[0] === BROKEN) {
      const cause = revive(message[2]);
      this.#broken = { why: `its start-up function threw: ${cause}`, cause };
      this.#remote.terminate();
      return;
    }
    if (errand.id !== message[1]) return;
    switch (message[0]) {
      case PROGRESS:
        return errand.progress(message[2], message[3]);
      case ITEM:
        return errand.item(message[2]);
      case RETURNED:
        this.#done();
        return errand.returned(message[2]);
      case THREW:
        this.#done();
        return errand.threw(revive(message[2]));
    }
  }

  #done(): void {
    this.#errand = null;
    this.#calls++;
    this.#events.done();
  }

  #gone(how: string, thrown: unknown): void {
    const errand = this.#errand;
    this.#errand = null;
    this.#events.died();
    if (errand === null) return;
    const { why, cause } = this.#broken ?? { why: how, cause: thrown };
    const message = `The ${this.#kind.name} that made the call died: ${why}`;
    errand.threw(new BrokenExecutor(message, cause === undefined ? undefined : { cause }));
  }
}
