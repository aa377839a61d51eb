// Load as _echo_load.ts makes it, on raw sockets and one blocking epoll: so quick that it is the servers that
// are measured. Linux on x86-64 only. Arguments: port, connections, milliseconds. Prints a Load as JSON.
import type { Load } from "./_echo_load.ts";

const MESSAGE_SIZE = 64;
const WARM_UP = 500;

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
const events = new DataView(new ArrayBuffer(12 * 512));
const eventBytes = new Uint8Array(events.buffer);
const sentAt = new Map<number, number>();
const received = new Map<number, number>();
const latencies: number[] = [];

const epoll = libc.epoll_create1(0);
for (let i = 0; i < connections; i++) {
  const fd = libc.socket(2, 1, 0);
  if (libc.connect(fd, address, 16) !== 0) throw new Error(`Cannot connect to port ${port}`);
  libc.setsockopt(fd, 6, 1, new Int32Array([1]), 4);
  events.setUint32(0, 1, true);
  events.setInt32(4, fd, true);
  libc.epoll_ctl(epoll, 1, fd, eventBytes);
  received.set(fd, 0);
}

const begin = performance.now() + WARM_UP;
const end = begin + duration;
for (const fd of received.keys()) ask(fd, performance.now());
for (let under = connections; under > 0;) {
  const count = libc.epoll_wait(epoll, eventBytes, 512, -1);
  for (let at = 0; at < 12 * count; at += 12) {
    const fd = events.getInt32(at + 4, true);
    const n = libc.recv(fd, buffer, BigInt(MESSAGE_SIZE - received.get(fd)!), 0);
    if (n <= 0) throw new Error("The server hung up");
    const total = received.get(fd)! + n;
    received.set(fd, total);
    if (total < MESSAGE_SIZE) continue;
    const now = performance.now();
    const sent = sentAt.get(fd)!;
    if (sent >= begin) latencies.push(now - sent);
    if (now < end) ask(fd, now);
    else under--;
  }
}

function ask(fd: number, now: number): void {
  received.set(fd, 0);
  sentAt.set(fd, now);
  libc.send(fd, message, BigInt(MESSAGE_SIZE), 0x4000);
}

const sorted = Float64Array.from(latencies).sort();
const load: Load = {
  throughput: sorted.length * 1_000 / duration,
  messages: sorted.length,
  p50: sorted[Math.floor(sorted.length * 0.5)] * 1_000,
  p99: sorted[Math.floor(sorted.length * 0.99)] * 1_000,
};
console.log(JSON.stringify(load));
