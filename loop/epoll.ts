import { BATCH, EBADF, EEXIST, ENOENT, HANGUP, type Poller, READ, WRITE } from "./poller.ts";
import { untilLeft } from "./_helper.ts";

const CTL_ADD = 1;
const CTL_DEL = 2;
const CTL_MOD = 3;
const IN = 0x1;
const OUT = 0x4;
const ERR = 0x8;
const HUP = 0x10;
const RDHUP = 0x2000;
const EDGE = 1 << 31;
const CLOEXEC = 0o2000000;
const NONBLOCK = 0o4000;

/** `struct epoll_event` in words of 32 bits: it is packed on x86-64 only. */
const [WORDS, DATA] = Deno.build.arch === "x86_64" ? [3, 1] : [4, 2];

function load() {
  return Deno.dlopen("libc.so.6", {
    epoll_create1: { parameters: ["i32"], result: "i32" },
    epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
    epoll_wait: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
    poll: { parameters: ["buffer", "u64", "i32"], result: "i32", nonblocking: true },
    eventfd: { parameters: ["u32", "i32"], result: "i32" },
    read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
    write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
    close: { parameters: ["i32"], result: "i32" },
    sched_yield: { parameters: [], result: "i32" },
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
  readonly #event = new Int32Array(WORDS);
  readonly #eventBytes = new Uint8Array(this.#event.buffer);
  readonly #events = new Int32Array(WORDS * BATCH);
  readonly #eventsBytes = new Uint8Array(this.#events.buffer);
  /** `struct pollfd`, which the helper thread writes to: an i32, the i16 that is asked for, the i16 that is found. */
  readonly #waited: Int16Array<ArrayBuffer>;
  readonly #waitedBytes: Uint8Array<ArrayBuffer>;
  readonly #count = new Uint8Array(8);

  constructor() {
    this.#epoll = this.#system.epoll_create1(CLOEXEC);
    this.#alarm = this.#system.eventfd(0, CLOEXEC | NONBLOCK);
    this.#waited = new Int16Array(new Int32Array([this.#epoll, IN]).buffer);
    this.#waitedBytes = new Uint8Array(this.#waited.buffer);
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
    return this.#add(fd, mask, before === 0 ? CTL_ADD : CTL_MOD);
  }

  follow(fd: number): number {
    return this.#add(fd, IN | OUT | RDHUP | EDGE, CTL_ADD);
  }

  expectRoom(_fd: number): number {
    return 0; // It is looked for already: when there was room all the time, that is no edge.
  }

  unfollow(fd: number): void {
    this.#control(CTL_DEL, fd, 0);
  }

  poll(found: (fd: number, ready: number) => void): number {
    const count = this.#system.epoll_wait(this.#epoll, this.#eventsBytes, BATCH, 0);
    const events = this.#events;
    let others = count;
    for (let at = 0; at < count * WORDS; at += WORDS) {
      const mask = events[at];
      const fd = events[at + DATA];
      if (fd === this.#alarm) {
        this.#system.read(fd, this.#count, 8n);
        others--;
      } else {
        found(fd, readiness(mask));
      }
    }
    return others;
  }

  wait(patience: number): Promise<unknown> {
    this.#waited[3] = 0;
    // An epoll of its own accord can be waited for: that takes nothing out of it, as epoll_wait() would.
    return this.#system.poll(this.#waitedBytes, 1n, patience);
  }

  recall(): void {
    this.#count.set([1, 0, 0, 0, 0, 0, 0, 0]);
    this.#system.write(this.#alarm, this.#count, 8n);
    untilLeft(() => this.#system.sched_yield() === 0 && this.#waited[3] !== 0);
  }

  close(): void {
    if (this.#epoll >= 0) this.#system.close(this.#epoll);
    if (this.#alarm >= 0) this.#system.close(this.#alarm);
    this.#library.close();
  }

  #add(fd: number, mask: number, operation: number): number {
    const error = this.#control(operation, fd, mask);
    // Somebody else's descriptor of that number was forgotten, or is still there as its duplicate.
    return error === EEXIST ? this.#control(CTL_MOD, fd, mask) : error;
  }

  #control(operation: number, fd: number, mask: number): number {
    this.#event[0] = mask;
    this.#event[DATA] = fd;
    if (this.#system.epoll_ctl(this.#epoll, operation, fd, this.#eventBytes) === 0) return 0;
    const error = this.#errno[0];
    // What is not there any more need not be taken out.
    return operation === CTL_DEL && (error === ENOENT || error === EBADF) ? 0 : error;
  }
}

function readiness(mask: number): number {
  if (mask === IN || mask === (IN | OUT)) return mask === IN ? READ : READ | WRITE;
  const broken = (mask & (ERR | HUP)) !== 0;
  return (broken || mask & (IN | RDHUP) ? READ : 0) | (broken || mask & OUT ? WRITE : 0) |
    (broken || mask & RDHUP ? HANGUP : 0);
}
