import { BATCH, ENOENT, PATIENCE, type Poller, READ, WRITE } from "./_poller.ts";

const FILTER_READ = -1;
const FILTER_WRITE = -2;
const FILTER_USER = -10;
const ADD = 0x1;
const DELETE = 0x2;
const CLEAR = 0x20;
const TRIGGER = 0x01000000;

/** `struct kevent`: ident u64, filter i16, flags u16, fflags u32, data i64, udata pointer. */
const SIZE = 32;
/** The user event that makes a waiting thread return. Idents of the filters do not get in each other's way. */
const ALARM = 1n;

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
    __error: { parameters: [], result: "pointer" },
  });
}

/** kqueue, as macOS has it. */
export class Kqueue implements Poller {
  readonly #library = load();
  readonly #system = this.#library.symbols;
  readonly #errno = new Int32Array(
    Deno.UnsafePointerView.getArrayBuffer(this.#system.__error()!, 4),
  );
  readonly #queue: number;
  readonly #change = new DataView(new ArrayBuffer(SIZE));
  readonly #changeBytes = new Uint8Array(this.#change.buffer);
  readonly #events = new DataView(new ArrayBuffer(SIZE * BATCH));
  readonly #eventsBytes = new Uint8Array(this.#events.buffer);
  readonly #none = new Uint8Array(SIZE);
  readonly #atOnce = new Uint8Array(16);
  readonly #patience = new Uint8Array(
    new BigInt64Array([
      BigInt(Math.floor(PATIENCE / 1000)),
      BigInt(PATIENCE % 1000) * 1_000_000n,
    ]).buffer,
  );
  /** The helper thread's own: it writes there while this thread goes on. */
  readonly #waited = new Uint8Array(SIZE);

  constructor() {
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

  poll(found: (fd: number, ready: number) => void): number {
    const count = this.#system.kevent(
      this.#queue,
      this.#none,
      0,
      this.#eventsBytes,
      BATCH,
      this.#atOnce,
    );
    let others = 0;
    for (let at = 0; at < count * SIZE; at += SIZE) {
      const filter = this.#events.getInt16(at + 8, true);
      if (filter === FILTER_USER) continue;
      others++;
      found(
        Number(this.#events.getBigUint64(at, true)),
        filter === FILTER_READ ? READ : WRITE,
      );
    }
    return others;
  }

  wait(): Promise<unknown> {
    return this.#system.wait(
      this.#queue,
      this.#none,
      0,
      this.#waited,
      1,
      this.#patience,
    );
  }

  wake(): void {
    this.#control(ALARM, FILTER_USER, 0, TRIGGER);
  }

  close(): void {
    if (this.#queue >= 0) this.#system.close(this.#queue);
    this.#library.close();
  }

  #control(ident: bigint, filter: number, flags: number, filterFlags = 0): number {
    this.#change.setBigUint64(0, ident, true);
    this.#change.setInt16(8, filter, true);
    this.#change.setUint16(10, flags, true);
    this.#change.setUint32(12, filterFlags, true);
    const failed =
      this.#system.kevent(this.#queue, this.#changeBytes, 1, this.#none, 0, this.#atOnce) < 0;
    if (!failed) return 0;
    const error = this.#errno[0];
    return flags === DELETE && error === ENOENT ? 0 : error;
  }
}
