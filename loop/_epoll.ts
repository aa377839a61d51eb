import { BATCH, EBADF, EEXIST, ENOENT, PATIENCE, type Poller, READ, WRITE } from "./_poller.ts";

const CTL_ADD = 1;
const CTL_DEL = 2;
const CTL_MOD = 3;
const IN = 0x1;
const OUT = 0x4;
const ERR = 0x8;
const HUP = 0x10;
const RDHUP = 0x2000;
const CLOEXEC = 0o2000000;
const NONBLOCK = 0o4000;

/** `struct epoll_event` is packed on x86-64 only. */
const [SIZE, DATA] = Deno.build.arch === "x86_64" ? [12, 4] : [16, 8];

function load() {
  return Deno.dlopen("libc.so.6", {
    epoll_create1: { parameters: ["i32"], result: "i32" },
    epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
    epoll_wait: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
    wait: {
      name: "epoll_wait",
      parameters: ["i32", "buffer", "i32", "i32"],
      result: "i32",
      nonblocking: true,
    },
    eventfd: { parameters: ["u32", "i32"], result: "i32" },
    read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
    write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
    close: { parameters: ["i32"], result: "i32" },
    __errno_location: { parameters: [], result: "pointer" },
  });
}

/** epoll, as Linux has it. What makes a waiting thread return is an eventfd among the descriptors. */
export class Epoll implements Poller {
  readonly #library = load();
  readonly #system = this.#library.symbols;
  readonly #errno = new Int32Array(
    Deno.UnsafePointerView.getArrayBuffer(this.#system.__errno_location()!, 4),
  );
  readonly #epoll: number;
  readonly #alarm: number;
  readonly #event = new DataView(new ArrayBuffer(SIZE));
  readonly #eventBytes = new Uint8Array(this.#event.buffer);
  readonly #events = new DataView(new ArrayBuffer(SIZE * BATCH));
  readonly #eventsBytes = new Uint8Array(this.#events.buffer);
  /** The helper thread's own: it writes there while this thread goes on. */
  readonly #waited = new Uint8Array(SIZE);
  readonly #count = new Uint8Array(8);

  constructor() {
    this.#epoll = this.#system.epoll_create1(CLOEXEC);
    this.#alarm = this.#system.eventfd(0, CLOEXEC | NONBLOCK);
    if (this.#epoll < 0 || this.#alarm < 0) {
      const code = this.#errno[0];
      this.close();
      throw new Error(`Cannot watch descriptors: epoll cannot be set up (error ${code})`);
    }
    this.#control(CTL_ADD, this.#alarm, IN);
  }

  change(fd: number, wanted: number, before: number): number {
    // The system reports a hang-up even of what is watched for nothing: that must go.
    if (wanted === 0) return this.#control(CTL_DEL, fd, 0);
    const mask = (wanted & READ ? IN | RDHUP : 0) | (wanted & WRITE ? OUT : 0);
    const error = this.#control(before === 0 ? CTL_ADD : CTL_MOD, fd, mask);
    // Somebody else's descriptor of that number was forgotten, or is still there as its duplicate.
    return error === EEXIST ? this.#control(CTL_MOD, fd, mask) : error;
  }

  poll(found: (fd: number, ready: number) => void): number {
    const count = this.#system.epoll_wait(this.#epoll, this.#eventsBytes, BATCH, 0);
    let others = 0;
    for (let at = 0; at < count * SIZE; at += SIZE) {
      const mask = this.#events.getUint32(at, true);
      const fd = this.#events.getInt32(at + DATA, true);
      if (fd === this.#alarm) {
        this.#system.read(fd, this.#count, 8n);
        continue;
      }
      others++;
      const broken = mask & (ERR | HUP);
      found(fd, (mask & (IN | RDHUP) || broken ? READ : 0) | (mask & OUT || broken ? WRITE : 0));
    }
    return others;
  }

  wait(): Promise<unknown> {
    return this.#system.wait(this.#epoll, this.#waited, 1, PATIENCE);
  }

  wake(): void {
    this.#count.set([1, 0, 0, 0, 0, 0, 0, 0]);
    this.#system.write(this.#alarm, this.#count, 8n);
  }

  close(): void {
    if (this.#epoll >= 0) this.#system.close(this.#epoll);
    if (this.#alarm >= 0) this.#system.close(this.#alarm);
    this.#library.close();
  }

  #control(operation: number, fd: number, mask: number): number {
    this.#event.setUint32(0, mask, true);
    this.#event.setInt32(DATA, fd, true);
    if (this.#system.epoll_ctl(this.#epoll, operation, fd, this.#eventBytes) === 0) return 0;
    const error = this.#errno[0];
    // What is not there any more need not be taken out.
    return operation === CTL_DEL && (error === ENOENT || error === EBADF) ? 0 : error;
  }
}
