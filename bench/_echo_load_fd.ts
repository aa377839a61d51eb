// Load as _echo_load.ts makes it, on raw sockets and one blocking epoll: so quick that it is the servers that
// are measured. Linux only. Arguments: port, connections, milliseconds. Prints a Load as JSON.
import type { Load } from "./_echo_load.ts";

const MESSAGE_SIZE = 64;
const WHOLE = BigInt(MESSAGE_SIZE);
const WARM_UP = 500;
const BATCH = 512;
/** `struct epoll_event` in words of 32 bits: it is packed on x86-64 only. */
const [WORDS, DATA] = Deno.build.arch === "x86_64" ? [3, 1] : [4, 2];

const { symbols: libc } = Deno.dlopen("libc.so.6", {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  epoll_create1: { parameters: ["i32"], result: "i32" },
  epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  epoll_wait: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
});

const [port, connections, duration] = Deno.args.map(Number);
const address = new Uint8Array([2, 0, port >> 8, port & 255, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
const message = new Uint8Array(MESSAGE_SIZE);
const buffer = new Uint8Array(MESSAGE_SIZE);
const events = new Int32Array(WORDS * BATCH);
const eventBytes = new Uint8Array(events.buffer);
const fds: number[] = [];

const epoll = libc.epoll_create1(0);
for (let i = 0; i < connections; i++) {
  const fd = libc.socket(2, 1, 0);
  if (libc.connect(fd, address, 16) !== 0) throw new Error(`Cannot connect to port ${port}`);
  libc.setsockopt(fd, 6, 1, new Int32Array([1]), 4);
  events[0] = 1;
  events[DATA] = fd;
  libc.epoll_ctl(epoll, 1, fd, eventBytes);
  fds.push(fd);
}

/** By descriptor: when its message was sent, and how much of it has come back. */
const sentAt = new Float64Array(Math.max(...fds) + 1);
const received = new Int32Array(sentAt.length);
const latencies = new Float64Array(duration * 2_000);
let measured = 0;

const begin = performance.now() + WARM_UP;
const end = begin + duration;
for (const fd of fds) ask(fd, performance.now());
for (let under = connections; under > 0;) {
  const count = libc.epoll_wait(epoll, eventBytes, BATCH, -1);
  for (let at = DATA; at < WORDS * count; at += WORDS) {
    const fd = events[at];
    const before = received[fd];
    const n = libc.recv(fd, buffer, before === 0 ? WHOLE : BigInt(MESSAGE_SIZE - before), 0);
    if (n <= 0) throw new Error("The server hung up");
    received[fd] = before + n;
    if (before + n < MESSAGE_SIZE) continue;
    const now = performance.now();
    if (sentAt[fd] >= begin) latencies[measured++] = now - sentAt[fd];
    if (now < end) ask(fd, now);
    else under--;
  }
}

function ask(fd: number, now: number): void {
  received[fd] = 0;
  sentAt[fd] = now;
  libc.send(fd, message, WHOLE, 0x4000);
}

const sorted = latencies.subarray(0, measured).sort();
const load: Load = {
  throughput: measured * 1_000 / duration,
  messages: measured,
  p50: sorted[Math.floor(measured * 0.5)] * 1_000,
  p99: sorted[Math.floor(measured * 0.99)] * 1_000,
};
console.log(JSON.stringify(load));
