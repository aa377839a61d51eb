import { Buffer } from "node:buffer";
import type { Watch } from "../loop/poll_source.ts";
import { raisesTimeout, type WaitOptions } from "../loop/wait.ts";
import { ByteBuffer } from "./_byte_buffer.ts";
import { Anything, type Demand, Into } from "./_demand.ts";
import { Onlookers } from "./_onlookers.ts";
import { OutsideLine } from "./_outside_line.ts";
import { Slab } from "./_slab.ts";
import type { Arrivals, Transport } from "./transport.ts";

/** How many microtasks a read of the platform takes at the most if there is something to read. */
const HOPS = 8;
/**
 * How much is read at once at first, and at the most. Of more than 128 KiB the C library asks the kernel each time,
 * which clears it page by page.
 */
const SMALLEST = 16_384;
const LARGEST = 122_880;

/**
 * Where all streams read that have what they read in the same step, as long as that is little. It is always in the
 * processor's cache, and one that only waits needs no memory.
 */
const SHARED = new Uint8Array(SMALLEST);

/** The read that is under way, where no promise is made of it. */
const UNDER_WAY = Promise.resolve();

/** What `read()` without a limit waits for: the one demand that can be met without the buffer. */
export const WHATEVER = new Anything(Infinity);

/**
 * The side of a stream that is read.
 *
 * It has one read of the platform under way at the most, and none while nobody waits. What it brings goes into
 * the buffer, and from there to who waits, in the order in which they came. Who gives up only leaves the line;
 * the read stays, and what it brings is there for the next one.
 */
export class Reading implements Arrivals {
  /** How many bytes have arrived. */
  count = 0;
  readonly #buffer: ByteBuffer;
  // deno-lint-ignore no-explicit-any
  readonly #readers: OutsideLine<any>;
  #transport: Transport | null = null;
  #space: Uint8Array | null = null;
  #size = SMALLEST;
  readonly #slab = new Slab();
  #pending: Promise<unknown> | null = null;
  /** Settles what is pending, where the transport makes no promise. */
  #told: (() => void) | null = null;
  #unreferenced = false;
  #ended = false;
  #failure: (() => unknown) | null = null;
  /** Who looks whether there is something to read, and takes nothing. */
  readonly #onlookers = new Onlookers();

  /**
   * @param describe What the readers wait for.
   * @param fault Makes the error of a read that failed.
   * @param address What it is connected to.
   */
  constructor(
    describe: () => string,
    readonly fault: (cause: unknown) => unknown,
    readonly address: () => string | undefined,
  ) {
    this.#buffer = new ByteBuffer(this.#slab);
    this.#readers = new OutsideLine(describe, () => this.#left());
  }

  /** Reads from `transport` from now on. */
  attach(transport: Transport | null): void {
    this.#transport = transport;
    if (this.#space === SHARED) this.#space = null;
    this.#fill();
  }

  /** Whether nothing is under way, and nothing is left over. */
  get idle(): boolean {
    return this.#pending === null && this.#buffer.size === 0;
  }

  /** The read that is under way; it never fails. */
  get pending(): Promise<unknown> | null {
    if (this.#pending === UNDER_WAY) {
      this.#pending = new Promise<void>((resolve) => this.#told = resolve);
    }
    return this.#pending;
  }

  /** What a transport has read that found nothing at first. */
  arrived(count: number | null): void {
    this.#tell();
    this.#onRead(count);
  }

  /** A transport that found nothing at first has failed. */
  failed(error: unknown): void {
    this.#tell();
    this.#onFailure(error);
  }

  /** Drops what was read and not taken, and goes on though the end was seen. Returns how much that was. */
  forget(): number {
    const { size } = this.#buffer;
    this.#buffer.clear();
    this.#ended = false;
    return size;
  }

  /** Calls `notify` once as soon as a read would not wait, at once if it would not now. */
  watch(notify: () => void): Watch {
    return this.#onlookers.add(notify, () => {
      if (this.#ready) return true;
      if (this.#unreferenced) this.#reference();
      this.#fill();
      return this.#ready;
    }, () => {
      if (!this.#needed) this.#unreference();
    });
  }

  take<T>(demand: Demand<T>, options?: WaitOptions): Promise<T | null> {
    const readers = this.#readers;
    if (readers.first === null) {
      try {
        const taken = demand.take(this.#buffer, this.#ended, this.address);
        if (taken !== undefined) return Promise.resolve(taken);
        if (this.#failure !== null) throw this.#failure();
      } catch (error) {
        return Promise.reject(error);
      }
    }
    if (options?.timeout === 0) return this.#poll(demand, options);
    const promise = readers.wait(raisesTimeout, options, demand);
    if (this.#unreferenced) this.#reference();
    this.#fill();
    return promise;
  }

  /** Everybody who waits now gets an error. */
  discourage(make: () => unknown): void {
    this.#readers.raiseAll(make);
  }

  /** Everybody who waits gets an error, and whoever comes: `make` makes it. */
  close(make: () => unknown): void {
    this.#failure = make;
    this.#transport = null;
    this.#space = null;
    this.#buffer.clear();
    this.#readers.raiseAll(make);
    this.#onlookers.notify();
  }

  /** Has a look whether the platform has something at once. */
  async #poll<T>(demand: Demand<T>, options: WaitOptions): Promise<T | null> {
    if (this.#readers.first === null) {
      this.#begin();
      for (let hop = 0; hop < HOPS && this.#pending !== null; hop++) await null;
      if (this.#readers.first === null) {
        const taken = demand.take(this.#buffer, this.#ended, this.address);
        if (taken !== undefined) return taken;
        if (this.#failure !== null) throw this.#failure();
        this.#unreference();
      }
    }
    return await this.#readers.wait(raisesTimeout, options);
  }

  /** Gives those in the line what they wait for, as far as it is there. */
  #serve(): void {
    const readers = this.#readers;
    for (let reader = readers.first; reader !== null; reader = readers.first) {
      try {
        const taken = (reader.offer as Demand<unknown>).take(
          this.#buffer,
          this.#ended,
          this.address,
        );
        if (taken !== undefined) reader.wake(taken);
        else if (this.#failure !== null) reader.raise(this.#failure);
        else return;
      } catch (error) {
        reader.throw(error);
      }
    }
  }

  /** Reads as long as somebody waits, until the platform has nothing. */
  #fill(): void {
    while (this.#needed && this.#begin());
  }

  /** Begins to read, if that is possible. Returns whether it is done already. */
  #begin(): boolean {
    if (
      this.#pending !== null || this.#ended || this.#failure !== null || this.#transport === null
    ) {
      return false;
    }
    let space = this.#space ??= this.#newSpace(this.#transport);
    const offer = this.#readers.first?.offer;
    // More than it can take would have to be copied once more.
    if (offer instanceof Into && offer.target.length < space.length) {
      space = space.subarray(0, offer.target.length);
    }
    const transport = this.#transport;
    let result: number | null | undefined | Promise<number | null>;
    try {
      result = transport.readAtOnce === undefined
        ? transport.read(space)
        : transport.readAtOnce(space, this);
    } catch (error) {
      this.#onFailure(error);
      return false;
    }
    if (typeof result === "number" || result === null) {
      this.#arrived(result);
      return true;
    }
    this.#pending = result?.then(this.#onRead, this.#onFailure) ?? UNDER_WAY;
    return false;
  }

  #tell(): void {
    this.#told?.();
    this.#told = null;
  }

  readonly #onRead = (count: number | null): void => {
    this.#pending = null;
    if (this.#transport === null) return;
    this.#arrived(count);
    this.#fill();
  };

  readonly #onFailure = (cause: unknown): void => {
    this.#pending = null;
    if (this.#failure !== null) return;
    this.#failure = () => this.fault(cause);
    this.#serve();
    this.#onlookers.notify();
  };

  #arrived(count: number | null): void {
    if (count === null) {
      this.#ended = true;
      this.#space = null;
    } else {
      this.count += count;
      const reader = this.#readers.first;
      // The commonest cases by far go past the buffer.
      if (reader !== null && this.#buffer.size === 0) {
        const { offer } = reader;
        if (offer === WHATEVER) {
          return reader.wake(this.#isSmall(count) ? this.#copied(count) : this.#cut(count));
        }
        if (offer instanceof Into && count <= offer.target.length) {
          offer.put(this.#space!.subarray(0, count));
          this.#grow(count);
          return reader.wake(count);
        }
      }
      if (this.#isSmall(count)) this.#buffer.append(this.#space!.subarray(0, count));
      else this.#buffer.adopt(this.#cut(count));
    }
    this.#serve();
    if (this.#ready) this.#onlookers.notify();
  }

  /** Whether a read would not wait. */
  get #ready(): boolean {
    return this.#buffer.size > 0 || this.#ended || this.#failure !== null;
  }

  /** Whether somebody waits for what the platform has. */
  get #needed(): boolean {
    return this.#readers.first !== null || (this.#onlookers.size > 0 && !this.#ready);
  }

  #newSpace(transport: Transport): Uint8Array {
    const shared = transport.readAtOnce !== undefined && this.#size === SMALLEST;
    return shared ? SHARED : memory(this.#size);
  }

  /** Whether what has arrived is so little that it is better copied than given away with the space. */
  #isSmall(count: number): boolean {
    return count * 4 < this.#space!.length;
  }

  /** The bytes that have arrived, with the space they are in. */
  #cut(count: number): Uint8Array {
    const space = this.#space!;
    this.#grow(count);
    if (space === SHARED) return space.slice(0, count);
    this.#space = null;
    return space.subarray(0, count);
  }

  /** Reads more at once from now on if all of the space was used. */
  #grow(count: number): void {
    if (count < this.#space!.length || this.#size === LARGEST) return;
    this.#size = Math.min(this.#size * 4, LARGEST);
    this.#space = null;
  }

  /** A copy of the bytes that have arrived. */
  #copied(count: number): Uint8Array {
    const space = this.#space!;
    return this.#slab.copy(space, 0, count);
  }

  /** Somebody has given up. Who was behind may want less than that one did. */
  #left(): void {
    this.#serve();
    if (!this.#needed) this.#unreference();
  }

  #reference(): void {
    this.#unreferenced = false;
    this.#transport?.ref();
  }

  #unreference(): void {
    if (this.#pending === null || this.#unreferenced) return;
    this.#unreferenced = true;
    this.#transport?.unref();
  }
}

/** Memory that is not cleared first, as clearing it takes longer than reading into it. What was not read is not shown. */
function memory(size: number): Uint8Array {
  return new Uint8Array(Buffer.allocUnsafeSlow(size).buffer);
}
