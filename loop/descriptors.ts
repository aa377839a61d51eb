import { outside } from "./outside.ts";
import { systemClock } from "./clock.ts";
import { checkDescriptor, failure, openPoller } from "./_open_poller.ts";
import { EBADF, HANGUP, type Poller, READ, WRITE } from "./poller.ts";
import type { Direction } from "./poll_source.ts";
import type { Scheduler } from "./scheduler.ts";
import { DescriptorWatch, Entry, Followed } from "./watched.ts";

/**
 * How long it is asked again and again whether something is ready once nothing is, in milliseconds. To send the
 * helper and be woken by it takes as long, so that asking costs at most twice of what is best.
 */
const BUSY = 0.1;
/**
 * How long it goes on, in milliseconds, without the platform having looked at its own I/O. While there is always
 * something to do, the platform does so only once in so many turns.
 */
const SPELL = 5;
const TURNS = 61;
/** How long it may take until a closed descriptor is noticed, in milliseconds: the system says nothing of it. */
const PATIENCE = 100;
/** How many turns of the platform the system's part is kept after the last descriptor has gone. */
const LINGER = 8;

/**
 * The raw descriptors that a loop watches: those of a program, which can do with them what it likes, and the sockets
 * of this library, which are always read and written until the system has no more.
 *
 * While there is much to do, the system is asked between the platform's turns, in this thread. When nothing has
 * been ready for a while, a thread of the platform's waits for all descriptors at once: one, however many there
 * are, and none while nothing is waited for. A Worker that waits and wakes this thread by shared memory would be
 * quicker (15 us, not 65), but takes 7 MB and 15 ms to start, and needs to be allowed to be read.
 */
export class Descriptors {
  readonly #scheduler: Scheduler;
  readonly #entries = new Map<number, Entry | Followed>();
  #poller: Poller | null = null;
  #armed = 0;
  /** How many are a program's own. */
  #foreign = 0;
  #state: "resting" | "asking" | "soon" | "waiting" | "recalled" = "resting";
  #lingering = 0;
  /** Since when nothing has been ready; 0 if something was. */
  #quietSince = 0;
  /** Since when the platform has not looked at its own I/O, and how many turns it had since; 0 if it has just now. */
  #spellSince = 0;
  #turns = 0;
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
   * @throws {Busy} If it is a socket of this library's.
   * @throws {NotCapable} Without `--allow-ffi`.
   */
  watch(fd: number, direction: Direction, notify: (error?: Error) => void): DescriptorWatch {
    checkDescriptor(fd);
    this.#poller ??= openPoller(fd);
    const bit = direction === "read" ? READ : WRITE;
    let entry = this.#entries.get(fd);
    if (entry instanceof Followed) {
      throw new Deno.errors.Busy(
        `Cannot watch descriptor ${fd}: it is a socket of this library's, which can be watched itself`,
      );
    }
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
    if (entry === undefined) {
      entry = new Entry(fd);
      this.#entries.set(fd, entry);
      // The helper may be waiting without an end, and must look for those that are closed from now on.
      if (this.#foreign++ === 0 && this.#state === "waiting") this.#recall();
    }
    entry.interest |= bit;
    const watch = new DescriptorWatch(this, entry, bit, notify);
    entry.watches.add(watch);
    return watch;
  }

  /**
   * Follows a socket that belongs to whoever calls, and to nobody else.
   *
   * @param ready Called once whenever there is more to read or, after {@linkcode Followed.prototype.expectRoom}, room.
   * @throws {Error} If the system cannot watch it.
   */
  follow(fd: number, ready: (ready: number) => void): Followed {
    this.#poller ??= openPoller(fd);
    const entry = this.#entries.get(fd);
    // Whoever had that number has closed it.
    if (entry instanceof Entry) this.#fail(entry, EBADF);
    const error = this.#poller.follow(fd);
    if (error !== 0) {
      this.#retire();
      throw failure(fd, error);
    }
    const followed = new Followed(this, fd, ready);
    this.#entries.set(fd, followed);
    return followed;
  }

  /** Calls `left` once no descriptor is left, when what the system has given is given back. */
  onRetired(left: () => void): void {
    this.#leavers.add(left);
    this.#retire();
  }

  /** Forgets all, without a word to anybody. */
  clear(): void {
    for (const entry of [...this.#entries.values()]) {
      if (entry instanceof Followed) entry.close();
      else for (const watch of [...entry.watches]) watch.close();
    }
  }

  arm(watch: DescriptorWatch): void {
    const { entry, bit } = watch;
    this.await();
    if ((entry.interest & bit) === 0) this.#set(entry, entry.interest | bit);
  }

  /** Somebody waits for a descriptor. */
  await(): void {
    this.#armed++;
    if (this.#state === "resting") {
      this.#spellSince = 0;
      this.#ask();
    }
  }

  /** Takes back {@linkcode Descriptors.prototype.await}. */
  disarm(): void {
    if (--this.#armed === 0 && this.#state === "waiting") this.#recall();
  }

  drop(watch: DescriptorWatch): void {
    const { entry } = watch;
    if (!entry.watches.delete(watch)) return;
    let wanted = 0;
    for (const { bit } of entry.watches) wanted |= bit;
    if ((entry.interest & ~wanted) !== 0) this.#set(entry, entry.interest & wanted);
    if (entry.watches.size === 0) this.#remove(entry);
  }

  unfollow(followed: Followed): void {
    if (this.#entries.get(followed.fd) !== followed) return;
    // Closing it would do, too, but for a program that starts a process just now, which has all for a moment.
    this.#poller!.unfollow(followed.fd);
    this.#remove(followed);
  }

  expectRoom(followed: Followed): void {
    // If that fails, the next write will say why.
    if (this.#poller!.expectRoom(followed.fd) !== 0) followed.ready(WRITE);
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
    if (this.#foreign > 0 && now >= this.#sweepAt) this.#sweep(now);
    const poller = this.#poller;
    if (poller !== null && this.#armed > 0) {
      if (poller.poll(this.#found) > 0) this.#quietSince = 0;
      else if (this.#quietSince === 0) this.#quietSince = now;
      if (this.#stray) this.#renew();
    }
    this.#state = "resting";
    if (this.#armed === 0) this.#retire();
    else if (this.#quietSince !== 0 && now - this.#quietSince >= BUSY) this.#wait();
    else this.#goOn(now);
  };

  /** Asks again; but if the platform has not looked at its own I/O for long, it gets the turns that it wants for that. */
  #goOn(now: number): void {
    this.#turns++;
    if (this.#spellSince === 0) {
      this.#spellSince = now;
      this.#turns = 0;
    } else if (now - this.#spellSince >= SPELL && this.#turns < TURNS) {
      this.#state = "soon";
      return void outside(setImmediate, this.#pass);
    } else if (this.#turns >= TURNS) {
      this.#spellSince = 0;
    }
    this.#ask();
  }

  readonly #pass = (): void => {
    if (++this.#turns < TURNS) return void outside(setImmediate, this.#pass);
    this.#spellSince = 0;
    this.#turn();
  };

  readonly #found = (fd: number, ready: number): void => {
    const entry = this.#entries.get(fd);
    if (entry === undefined) {
      this.#stray = true;
      return;
    }
    if (entry instanceof Followed) return entry.ready(ready);
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
    this.#poller!.wait(this.#foreign > 0 ? PATIENCE : -1).then(this.#returned);
  }

  readonly #returned = (): void => {
    const recalled = this.#state === "recalled";
    this.#spellSince = 0;
    this.#turn();
    if (recalled) this.#hold(-1);
  };

  /** Calls the helper back. */
  #recall(): void {
    this.#state = "recalled";
    this.#hold(1);
    this.#poller!.recall();
  }

  #remove(entry: Entry | Followed): void {
    if (this.#entries.get(entry.fd) !== entry) return;
    this.#entries.delete(entry.fd);
    if (entry instanceof Entry) this.#foreign--;
    this.#retire();
  }

  /** Lets the system's part go if no descriptor is left. */
  #retire(): void {
    if (this.#entries.size > 0 || this.#lingering > 0) return;
    if (this.#state !== "resting" && this.#state !== "recalled") return;
    this.#lingering = LINGER;
    this.#hold(1);
    outside(setImmediate, this.#linger);
  }

  readonly #linger = (): void => {
    const needed = this.#entries.size > 0;
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
      if (entry instanceof Followed || entry.interest === 0) continue;
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
      if (entry instanceof Followed) {
        if (this.#poller.follow(entry.fd) !== 0) entry.ready(READ | WRITE | HANGUP);
        continue;
      }
      const wanted = entry.interest;
      entry.interest = 0;
      if (wanted !== 0) this.#set(entry, wanted);
    }
  }

  #fail(entry: Entry, code: number): void {
    entry.interest = 0;
    const watches = [...entry.watches];
    entry.watches.clear();
    this.#remove(entry);
    for (const watch of watches) watch.fail(failure(entry.fd, code));
  }
}
