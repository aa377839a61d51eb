import { untilLeft } from "./_helper.ts";
import { BATCH, ENOENT, HANGUP, type Poller, READ, WRITE } from "./poller.ts";

const FILTER_READ = -1;
const FILTER_WRITE = -2;
const FILTER_USER = -10;
const ADD = 0x1;
const DELETE = 0x2;
const ONCE = 0x10;
const CLEAR = 0x20;
const EOF = 0x8000;
const TRIGGER = 0x01000000;

/** `struct kevent`: ident u64, filter i16, flags u16, fflags u32, data i64, udata pointer. */
const SIZE = 32;
/** The user event that makes a waiting thread return. Idents of the filters do not get in each other's way. */
const ALARM = 1n;
/** What a followed descriptor is told by: a value that the system gives back. */
const FOLLOWED = 1n;

function load() {
  return Deno.dlopen("libSystem.B.dylib", {
    kqueue: { parameters: [], result: "i32" },
    kevent: {
      parameters: ["i32", "buffer", "i32", "buffer", "i32", "buffer"],
      result: "i32",
    },
    wait: {
      name: "kevent",
      parameters: ["i32", "buffer", "i32", "buffer", "i32", "buffer"],
      result: "i32",
      nonblocking: true,
    },
    close: { parameters: ["i32"], result: "i32" },
    sched_yield: { parameters: [], result: "i32" },
    __error: { parameters: [], result: "pointer" },
  });
}

/** The system's part of it. */
export type KqueueLibrary = ReturnType<typeof load>;

/** kqueue, as macOS has it. */
export class Kqueue implements Poller {
  readonly #library: KqueueLibrary;
  readonly #system: KqueueLibrary["symbols"];
  readonly #errno: Int32Array;
  readonly #queue: number;
  readonly #change = new DataView(new ArrayBuffer(SIZE));
  readonly #events = new DataView(new ArrayBuffer(SIZE * BATCH));
  readonly #none = new Uint8Array(SIZE);
  readonly #atOnce = new Uint8Array(16);
  readonly #patience = new BigInt64Array(2);
  /** The helper thread's own: it writes there while this thread goes on. */
  readonly #waited = new DataView(new ArrayBuffer(SIZE * BATCH));
  /** How many events it has brought. */
  #brought = 0;

  constructor(library: KqueueLibrary = load()) {
    this.#library = library;
    this.#system = library.symbols;
    this.#errno = new Int32Array(
      Deno.UnsafePointerView.getArrayBuffer(this.#system.__error()!, 4),
    );
    this.#queue = this.#system.kqueue();
    const error = this.#queue < 0 ? this.#errno[0] : this.#control(ALARM, FILTER_USER, ADD | CLEAR);
    if (error !== 0) {
      this.close();
      throw new Error(`Cannot watch descriptors: kqueue cannot be set up (error ${error})`);
    }
  }

  change(fd: number, wanted: number, before: number): number {
    for (const [bit, filter] of [[READ, FILTER_READ], [WRITE, FILTER_WRITE]]) {
      if (wanted & bit) {
        // Adding what is there already changes nothing, and tells whether the descriptor is still open.
        const error = this.#control(BigInt(fd), filter, ADD);
        if (error !== 0) return error;
      } else if (before & bit) {
        this.#control(BigInt(fd), filter, DELETE);
      }
    }
    return 0;
  }

  follow(fd: number): number {
    return this.#control(BigInt(fd), FILTER_READ, ADD | CLEAR, 0, FOLLOWED);
  }

  expectRoom(fd: number): number {
    // Only now: it would be found at every answer of the other side.
    return this.#control(BigInt(fd), FILTER_WRITE, ADD | ONCE, 0, FOLLOWED);
  }

  unfollow(fd: number): void {
    this.#control(BigInt(fd), FILTER_READ, DELETE);
    this.#control(BigInt(fd), FILTER_WRITE, DELETE);
  }

  poll(found: (fd: number, ready: number) => void): number {
    // What is found once only is taken out by whoever asks, the helper too. All else is found again now.
    const before = this.#tell(this.#waited, this.#brought, FOLLOWED, found);
    this.#brought = 0;
    const bytes = bytesOf(this.#events);
    const count = this.#system.kevent(this.#queue, this.#none, 0, bytes, BATCH, this.#atOnce);
    return before + this.#tell(this.#events, count, 0n, found);
  }

  async wait(patience: number): Promise<void> {
    bytesOf(this.#waited).fill(0, 0, SIZE);
    this.#patience[0] = BigInt(Math.floor(patience / 1000));
    this.#patience[1] = BigInt(patience % 1000) * 1_000_000n;
    const limit = patience < 0 ? null : new Uint8Array(this.#patience.buffer);
    const bytes = bytesOf(this.#waited);
    this.#brought = await this.#system.wait(this.#queue, this.#none, 0, bytes, BATCH, limit);
  }

  recall(): void {
    this.#control(ALARM, FILTER_USER, 0, TRIGGER);
    untilLeft(() => this.#system.sched_yield() === 0 && this.#waited.getInt16(8, true) !== 0);
  }

  close(): void {
    if (this.#queue >= 0) this.#system.close(this.#queue);
    this.#library.close();
  }

  /** Calls `found` for each of some events, or for each of what is followed. Returns how many there were. */
  #tell(
    events: DataView,
    count: number,
    only: bigint,
    found: (fd: number, ready: number) => void,
  ): number {
    let others = 0;
    for (let at = 0; at < count * SIZE; at += SIZE) {
      const filter = events.getInt16(at + 8, true);
      if (filter === FILTER_USER) continue;
      if (only !== 0n && events.getBigUint64(at + 24, true) !== only) continue;
      others++;
      const ended = (events.getUint16(at + 10, true) & EOF) !== 0;
      const ready = filter === FILTER_READ ? READ | (ended ? HANGUP : 0) : WRITE;
      found(Number(events.getBigUint64(at, true)), ready);
    }
    return others;
  }

  #control(ident: bigint, filter: number, flags: number, filterFlags = 0, data = 0n): number {
    const change = this.#change;
    change.setBigUint64(0, ident, true);
    change.setInt16(8, filter, true);
    change.setUint16(10, flags, true);
    change.setUint32(12, filterFlags, true);
    change.setBigUint64(24, data, true);
    const bytes = bytesOf(change);
    if (this.#system.kevent(this.#queue, bytes, 1, this.#none, 0, this.#atOnce) >= 0) return 0;
    const error = this.#errno[0];
    return flags === DELETE && error === ENOENT ? 0 : error;
  }
}

function bytesOf(view: DataView): Uint8Array<ArrayBuffer> {
  return new Uint8Array(view.buffer as ArrayBuffer);
}
