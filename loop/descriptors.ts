import { AsyncLocalStorage } from "node:async_hooks";
import { shown } from "./arguments.ts";
import { systemClock } from "./clock.ts";
import { Epoll } from "./_epoll.ts";
import { Kqueue } from "./_kqueue.ts";
import { EBADF, ENOENT, EPERM, PATIENCE, type Poller, READ, WRITE } from "./_poller.ts";
import type { Direction, Watch } from "./poll_source.ts";
import type { Scheduler } from "./scheduler.ts";

/**
 * How long it is asked again and again, between the platform's own turns, whether something is ready after
 * something was, in milliseconds. Waking the helper takes longer than most answers do to come; and while it
 * is asked, the platform's own I/O is slowed down.
 */
const BUSY = 0.1;
/** How many turns of the platform the helper's library is kept after the last descriptor has gone. */
const LINGER = 8;

/** Runs a function outside every task. */
const outside = AsyncLocalStorage.snapshot();

/**
 * The raw descriptors that a loop watches.
 *
 * While there is much to do, the system is asked between the platform's turns, in this thread. When nothing has
 * been ready for a while, a thread of the platform's waits for all descriptors at once: one, however many there
 * are, and none while nothing is waited for. A Worker that waits and wakes this thread by shared memory would be
 * quicker (15 us, not 65), but takes 7 MB and 15 ms to start, and needs to be allowed to be read.
 */
export class Descriptors {
  readonly #scheduler: Scheduler;
  readonly #entries = new Map<number, Entry>();
  #poller: Poller | null = null;
  #armed = 0;
  #state: "resting" | "asking" | "soon" | "waiting" = "resting";
  #leaving = false;
  #lingering = 0;
  #busyUntil = 0;
  #sweepAt = 0;
  #stray = false;
  readonly #leavers = new Set<() => void>();

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /**
   * Makes a watch of `fd`; any number of them may look at the same one.
   *
   * @throws {BadResource} If it is not open; `code` is "EBADF".
   * @throws {NotSupported} If it is a file, which is always ready (`code` is "EPERM"), or the platform has neither
   * epoll nor kqueue.
   * @throws {NotCapable} Without `--allow-ffi`.
   */
  watch(fd: number, direction: Direction, notify: (error?: Error) => void): DescriptorWatch {
    checkDescriptor(fd);
    this.#poller ??= openPoller(fd);
    const bit = direction === "read" ? READ : WRITE;
    let entry = this.#entries.get(fd);
    // Asked even if it is watched already: the number may be that of another descriptor by now.
    let error = this.#poller.change(fd, bit | (entry?.interest ?? 0), entry?.interest ?? 0);
    if (error !== 0 && entry !== undefined) {
      this.#fail(entry, error);
      entry = undefined;
      error = this.#poller.change(fd, bit, 0);
    }
    if (error !== 0) {
      this.#retire();
      throw failure(fd, error);
    }
    entry ??= new Entry(fd);
    this.#entries.set(fd, entry);
    entry.interest |= bit;
    const watch = new DescriptorWatch(this, entry, bit, notify);
    entry.watches.add(watch);
    return watch;
  }

  /** Calls `left` once no descriptor is left, when what the system has given is given back. */
  onRetired(left: () => void): void {
    this.#leavers.add(left);
    this.#retire();
  }

  /** Forgets all, without a word to anybody. */
  clear(): void {
    for (const { watches } of [...this.#entries.values()]) {
      for (const watch of [...watches]) watch.close();
    }
  }

  arm(watch: DescriptorWatch): void {
    this.#armed++;
    const { entry, bit } = watch;
    if ((entry.interest & bit) === 0) this.#set(entry, entry.interest | bit);
    if (this.#state === "resting") this.#ask();
  }

  disarm(): void {
    if (--this.#armed === 0 && this.#state === "waiting") this.#recall();
  }

  drop(watch: DescriptorWatch): void {
    const { entry } = watch;
    if (!entry.watches.delete(watch)) return;
    let wanted = 0;
    for (const { bit } of entry.watches) wanted |= bit;
    if ((entry.interest & ~wanted) !== 0) this.#set(entry, entry.interest & wanted);
    if (entry.watches.size > 0) return;
    if (this.#entries.get(entry.fd) === entry) this.#entries.delete(entry.fd);
    this.#retire();
  }

  /** Asks soon, after the platform has had its turn. */
  #ask(): void {
    this.#state = "soon";
    // What is armed by a task must not keep that task's context.
    outside(setImmediate, this.#turn);
  }

  readonly #turn = (): void => {
    this.#state = "asking";
    const now = systemClock.time();
    if (now >= this.#sweepAt) this.#sweep(now);
    const poller = this.#poller;
    if (poller !== null && this.#armed > 0) {
      if (poller.poll(this.#found) > 0) this.#busyUntil = now + BUSY;
      if (this.#stray) this.#renew();
    }
    this.#state = "resting";
    if (this.#armed === 0) this.#retire();
    else if (now < this.#busyUntil) this.#ask();
    else this.#wait();
  };

  readonly #found = (fd: number, ready: number): void => {
    const entry = this.#entries.get(fd);
    if (entry === undefined) {
      this.#stray = true;
      return;
    }
    let served = 0;
    for (const watch of entry.watches) {
      if ((watch.bit & ready) !== 0 && watch.fire()) served |= watch.bit;
    }
    // Nobody wants to know now. The system would say so again and again, so it must not look until somebody does.
    const unwanted = entry.interest & ready & ~served;
    if (unwanted !== 0 && entry.watches.size > 0) this.#set(entry, entry.interest & ~unwanted);
  };

  /** Sends the helper to wait. */
  #wait(): void {
    this.#state = "waiting";
    this.#poller!.wait().then(this.#returned);
  }

  readonly #returned = (): void => {
    const leaving = this.#leaving;
    this.#leaving = false;
    this.#turn();
    if (leaving) this.#hold(-1);
  };

  /** Calls the helper back. */
  #recall(): void {
    if (this.#leaving) return;
    this.#leaving = true;
    this.#hold(1);
    this.#poller!.wake();
  }

  /** Lets the system's part go if no descriptor is left. */
  #retire(): void {
    if (this.#entries.size > 0 || this.#state !== "resting" || this.#lingering > 0) return;
    this.#lingering = LINGER;
    this.#hold(1);
    outside(setImmediate, this.#linger);
  }

  readonly #linger = (): void => {
    const needed = this.#entries.size > 0 || this.#state !== "resting";
    if (!needed && --this.#lingering > 0) return void outside(setImmediate, this.#linger);
    this.#lingering = 0;
    if (!needed) {
      this.#poller?.close();
      this.#poller = null;
      for (const left of this.#leavers) left();
      this.#leavers.clear();
    }
    this.#hold(-1);
  };

  /** Keeps the loop going until what the system has given was given back: a loop that has ended holds nothing. */
  #hold(change: 1 | -1): void {
    this.#scheduler.census.holds += change;
    this.#scheduler.check();
  }

  #set(entry: Entry, wanted: number): void {
    const error = this.#poller!.change(entry.fd, wanted, entry.interest);
    if (error === 0) entry.interest = wanted;
    else this.#fail(entry, error);
  }

  /** Finds those that were closed: the system says nothing of them. */
  #sweep(now: number): void {
    this.#sweepAt = now + PATIENCE;
    for (const entry of this.#entries.values()) {
      if (entry.interest === 0) continue;
      const error = this.#poller!.change(entry.fd, entry.interest, entry.interest);
      if (error !== 0) this.#fail(entry, error);
    }
  }

  /** Begins anew: what was closed, and is open still under another number, can be forgotten no other way. */
  #renew(): void {
    this.#stray = false;
    this.#poller!.close();
    this.#poller = openPoller(-1);
    for (const entry of this.#entries.values()) {
      const wanted = entry.interest;
      entry.interest = 0;
      if (wanted !== 0) this.#set(entry, wanted);
    }
  }

  #fail(entry: Entry, code: number): void {
    if (this.#entries.get(entry.fd) === entry) this.#entries.delete(entry.fd);
    entry.interest = 0;
    const watches = [...entry.watches];
    entry.watches.clear();
    for (const watch of watches) watch.fail(failure(entry.fd, code));
    this.#retire();
  }
}

/** One descriptor. */
class Entry {
  /** What the system looks for. */
  interest = 0;
  readonly watches = new Set<DescriptorWatch>();

  constructor(readonly fd: number) {}
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

function checkDescriptor(fd: unknown): void {
  if (!Number.isInteger(fd) || (fd as number) < 0 || (fd as number) > 0x7fffffff) {
    throw new RangeError(
      `Cannot watch a descriptor: its number must be an integer of at least 0, not ${shown(fd)}`,
    );
  }
}

function openPoller(fd: number): Poller {
  const { os } = Deno.build;
  if (os !== "linux" && os !== "darwin" && os !== "android") {
    throw new Deno.errors.NotSupported(
      `Cannot watch descriptor ${fd}: raw descriptors are watched on Linux and macOS only, not on ${os}`,
    );
  }
  try {
    return os === "darwin" ? new Kqueue() : new Epoll();
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotCapable)) throw cause;
    throw new Deno.errors.NotCapable(
      `Cannot watch descriptor ${fd}: raw descriptors need --allow-ffi`,
      { cause },
    );
  }
}

function failure(fd: number, code: number): Error {
  if (code === EBADF || code === ENOENT) {
    const error = new Deno.errors.BadResource(`Cannot watch descriptor ${fd}: it is not open`);
    return Object.assign(error, { code: "EBADF" });
  }
  if (code === EPERM) {
    const error = new Deno.errors.NotSupported(
      `Cannot watch descriptor ${fd}: it is a file or a folder, which is always ready`,
    );
    return Object.assign(error, { code: "EPERM" });
  }
  return new Error(`Cannot watch descriptor ${fd}: the system's error ${code}`);
}
