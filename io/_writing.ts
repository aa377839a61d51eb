import { shown } from "../loop/arguments.ts";
import { Thrower } from "../loop/blocked.ts";
import type { Watch } from "../loop/poll_source.ts";
import type { Expectant } from "../loop/expectants.ts";
import { Scheduler } from "../loop/scheduler.ts";
import { Strand } from "../loop/strand.ts";
import { raisesTimeout, type WaitOptions } from "../loop/wait.ts";
import { BufferLimitError } from "./stream_error.ts";
import { Onlookers } from "./_onlookers.ts";
import { OutsideLine } from "./_outside_line.ts";
import type { Transport } from "./transport.ts";

/** A write waits while more than this is buffered. */
const HIGH_WATER = 65_536;
/** Up to this size, data is copied before the system gets it: the caller may use its memory again at once. */
const COPIED = 16_384;
const encoder = new TextEncoder();
const TRUE = Promise.resolve(true);
const FALSE = Promise.resolve(false);
const DONE = Promise.resolve();

let resolver: (value: unknown) => void;
// A constant, unlike a declared function, is inlined into the promise's constructor.
const keepResolver = (resolve: (value: unknown) => void): void => {
  resolver = resolve;
};

/**
 * The side of a stream that is written.
 *
 * It has one write of the platform under way at the most; what comes meanwhile is buffered, and is sent though
 * whoever wrote it has given up waiting.
 */
export class Writing implements Expectant {
  /** How many bytes the system has taken. */
  count = 0;
  /** How many bytes may be buffered. */
  limit = Infinity;
  readonly #writers: OutsideLine<boolean>;
  readonly #flushers: OutsideLine<void>;
  #transport: Transport | null = null;
  #queue: Uint8Array[] = [];
  /** What the platform has been given, as far as it has not taken it. */
  #current: Uint8Array | null = null;
  /** Whether that is the memory of whoever wrote it. */
  #borrowed = false;
  /** How many bytes the system has not taken. */
  #buffered = 0;
  /** Tells who wrote what is current whether the system took it; `null` once that is known. */
  #answer: ((value: unknown) => void) | null = null;
  /** Who that is, and how long it may wait. */
  #writer: Strand | null = null;
  #options: WaitOptions | undefined;
  /** Until the first write is through, the platform may not know yet that there is room. */
  #fresh = false;
  #failure: (() => unknown) | null = null;
  readonly #onlookers = new Onlookers();

  /**
   * @param describe What the writers wait for.
   * @param fault Makes the error of a write that failed.
   * @param address What it is connected to.
   */
  constructor(
    describe: () => string,
    readonly fault: (cause: unknown) => unknown,
    readonly address: () => string | undefined,
  ) {
    this.#writers = new OutsideLine(describe);
    this.#flushers = new OutsideLine(describe);
  }

  /** How many bytes the system has not taken. */
  get buffered(): number {
    return this.#buffered;
  }

  /** Writes to `transport` from now on, beginning with what is buffered. */
  attach(transport: Transport | null): void {
    this.#transport = transport;
    this.#fresh = transport?.startsSlowly ?? false;
    if (transport !== null && this.#current === null) this.#next();
    if (this.#isWritable) this.#onlookers.notify();
  }

  /** Calls `notify` once as soon as a write would not wait, at once if it would not now. */
  watch(notify: () => void): Watch {
    return this.#onlookers.add(notify, () => this.#failure !== null || this.#isWritable);
  }

  write(data: string | Uint8Array, options?: WaitOptions): Promise<boolean> {
    if (this.#failure !== null) return Promise.reject(this.#failure());
    const own = typeof data === "string";
    if (!own && !(data instanceof Uint8Array)) {
      return Promise.reject(
        new TypeError(`Cannot write: a string or a Uint8Array is needed, not ${shown(data)}`),
      );
    }
    const bytes = own ? encoder.encode(data) : data;
    if (this.#transport !== null && this.#current === null) {
      if (bytes.length === 0) return TRUE;
      const left = this.#writeAtOnce(this.#transport, bytes);
      if (left === null) return this.#outcome();
      const scheduler = Scheduler.current();
      const borrowed = !own && left.length > COPIED;
      this.#current = own || borrowed ? left : copied(left);
      this.#borrowed = borrowed;
      this.#buffered += left.length;
      return this.#hand(scheduler, options);
    }
    if (this.#buffered + bytes.length > this.limit) {
      return Promise.reject(
        new BufferLimitError(
          this.limit,
          { address: this.address() },
          "Cannot write: the other side is too slow, and",
        ),
      );
    }
    if (bytes.length > 0) this.#queue.push(own ? bytes : copied(bytes));
    this.#buffered += bytes.length;
    return this.#hasRoom ? FALSE : this.#writers.wait(raisesTimeout, options);
  }

  #outcome(): Promise<boolean> {
    return this.#failure === null ? TRUE : Promise.reject(this.#failure());
  }

  /** Writes what goes without a copy of it. Returns what is left, or `null` if nothing is or it has failed. */
  #writeAtOnce(transport: Transport, bytes: Uint8Array): Uint8Array | null {
    if (transport.writeAtOnce === undefined) return bytes;
    try {
      const count = transport.writeAtOnce(bytes);
      this.count += count;
      return count === bytes.length ? null : bytes.subarray(count);
    } catch (error) {
      this.#onFailure(error);
      return null;
    }
  }

  flush(options?: WaitOptions): Promise<void> {
    if (this.#failure !== null) return Promise.reject(this.#failure());
    return this.#buffered === 0 ? DONE : this.#flushers.wait(raisesTimeout, options);
  }

  /** Everybody who waits gets an error, and whoever comes: `make` makes it. */
  close(make: () => unknown): void {
    this.#transport = null;
    this.#fail(make);
  }

  get #hasRoom(): boolean {
    return this.#buffered <= HIGH_WATER && !this.#borrowed;
  }

  get #isWritable(): boolean {
    return this.#transport !== null && this.#hasRoom;
  }

  /** The system has not taken at once what it was given: who wrote it waits, if that makes sense. */
  overdue(): void {
    const answer = this.#answer!;
    const writer = this.#writer!;
    const options = this.#options;
    this.#settled();
    const late = writer.ended ? null : writer.take();
    if (late !== null) answer(new Thrower(() => late.error));
    else if (this.#fresh && options?.timeout !== 0) {
      answer(this.#flushers.waitAs(writer, raisesTimeout, options).then(() => true));
    } else {
      answer(this.#hasRoom ? false : this.#writers.waitAs(writer, raisesTimeout, options));
    }
  }

  /** Gives what is current to the system. Whether it takes it at once shows before the macrotask is over. */
  #hand(scheduler: Scheduler, options?: WaitOptions): Promise<boolean> {
    this.#send();
    if (this.#failure !== null) return Promise.reject(this.#failure());
    if (this.#current === null) return TRUE;
    const promise = new Promise<boolean>(keepResolver as never);
    this.#answer = resolver;
    this.#writer = Strand.current(scheduler);
    this.#options = options;
    scheduler.expect(this);
    return promise;
  }

  #settled(): void {
    this.#answer = this.#writer = null;
    this.#options = undefined;
  }

  /** It is known what becomes of what was written. */
  #tell(value: unknown): void {
    const answer = this.#answer!;
    this.#writer!.scheduler.expectants.remove(this);
    this.#settled();
    answer(value);
  }

  /** Gives the system what is current, and then what is queued, until it must wait. */
  #send(): void {
    while (this.#current !== null && this.#transport !== null) {
      let result: number | Promise<number>;
      try {
        result = this.#transport.write(this.#current);
      } catch (error) {
        return this.#onFailure(error);
      }
      if (typeof result !== "number") {
        result.then(this.#onWritten, this.#onFailure);
        return;
      }
      this.#took(result);
    }
  }

  readonly #onWritten = (count: number): void => {
    if (this.#transport === null) return;
    this.#took(count);
    this.#send();
    if (this.#answer !== null && this.#current === null) this.#tell(true);
  };

  readonly #onFailure = (cause: unknown): void => {
    if (this.#failure === null) this.#fail(() => this.fault(cause));
  };

  #took(count: number): void {
    const current = this.#current!;
    this.#buffered -= count;
    this.count += count;
    this.#fresh = false;
    if (count < current.length) {
      this.#current = this.#borrowed ? current.slice(count) : current.subarray(count);
    } else {
      this.#current = null;
      this.#pick();
    }
    this.#borrowed = false;
    if (this.#hasRoom && this.#writers.first !== null) this.#writers.wakeAll(false);
    if (this.#isWritable) this.#onlookers.notify();
    if (this.#buffered === 0 && this.#flushers.first !== null) this.#flushers.wakeAll();
  }

  #next(): void {
    this.#pick();
    this.#send();
  }

  /** Makes what is queued current, small pieces together. */
  #pick(): void {
    const queue = this.#queue;
    if (queue.length === 0) return;
    let count = 0;
    let size = 0;
    while (count < queue.length && (count === 0 || size + queue[count].length <= HIGH_WATER)) {
      size += queue[count++].length;
    }
    const pieces = queue.splice(0, count);
    if (count === 1) {
      this.#current = pieces[0];
      return;
    }
    const joined = this.#current = new Uint8Array(size);
    let at = 0;
    for (const piece of pieces) {
      joined.set(piece, at);
      at += piece.length;
    }
  }

  #fail(make: () => unknown): void {
    this.#failure = make;
    this.#queue = [];
    this.#current = null;
    this.#borrowed = false;
    this.#buffered = 0;
    if (this.#answer !== null) this.#tell(new Thrower(make, true));
    this.#writers.raiseAll(make);
    this.#flushers.raiseAll(make);
    this.#onlookers.notify();
  }
}

let slab = new Uint8Array(0);
let used = 0;

/** A copy that nobody but the system sees. Small ones share memory: making memory takes longer than copying. */
function copied(bytes: Uint8Array): Uint8Array {
  const { length } = bytes;
  if (length > COPIED / 4) return bytes.slice();
  if (used + length > slab.length) {
    slab = new Uint8Array(COPIED);
    used = 0;
  }
  const at = used;
  used += length;
  slab.set(bytes, at);
  return new Uint8Array(slab.buffer, at, length);
}
