import type { Descriptors } from "./descriptors.ts";
import type { Watch } from "./poll_source.ts";

/** A descriptor of a program's. */
export class Entry {
  /** What the system looks for. */
  interest = 0;
  readonly watches = new Set<DescriptorWatch>();

  constructor(readonly fd: number) {}
}

/** A socket of this library's. */
export class Followed {
  #awaited = false;

  constructor(
    readonly descriptors: Descriptors,
    readonly fd: number,
    readonly ready: (ready: number) => void,
  ) {}

  /** Whether somebody waits for it, which keeps the program alive. */
  get awaited(): boolean {
    return this.#awaited;
  }

  set awaited(awaited: boolean) {
    if (this.#awaited === awaited) return;
    this.#awaited = awaited;
    if (awaited) this.descriptors.await();
    else this.descriptors.disarm();
  }

  /** A write has not gone through. */
  expectRoom(): void {
    this.descriptors.expectRoom(this);
  }

  /** Follows it no more. To be called before it is closed. */
  close(): void {
    this.awaited = false;
    this.descriptors.unfollow(this);
  }
}

/** A watch of a descriptor, which may also be taken back for a while. */
export class DescriptorWatch implements Watch {
  #armed = false;
  #closed = false;

  constructor(
    readonly descriptors: Descriptors,
    readonly entry: Entry,
    readonly bit: number,
    readonly notify: (error?: Error) => void,
  ) {}

  arm(): void {
    if (this.#armed || this.#closed) return;
    this.#armed = true;
    this.descriptors.arm(this);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.disarm();
    this.descriptors.drop(this);
  }

  /** Takes back {@linkcode DescriptorWatch.prototype.arm}. */
  disarm(): void {
    if (!this.#armed) return;
    this.#armed = false;
    this.descriptors.disarm();
  }

  /** Notifies if it is armed. */
  fire(): boolean {
    if (!this.#armed) return false;
    this.disarm();
    this.notify();
    return true;
  }

  fail(error: Error): void {
    this.#closed = true;
    this.disarm();
    this.notify(error);
  }
}
