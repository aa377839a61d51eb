// Load for an echo server: so many connections, each with one message under way at a time.
// Arguments: port, connections, milliseconds. Prints a Load as JSON.

/** What the server stood. */
export interface Load {
  /** Messages echoed per second. */
  throughput: number;
  /** Messages echoed in all, those before the measurement included. */
  messages: number;
  /** Microseconds that half of the messages took at most. */
  p50: number;
  /** Microseconds that 99 of 100 messages took at most. */
  p99: number;
}

const MESSAGE_SIZE = 64;
const WARM_UP = 500;

const [port, connections, duration] = Deno.args.map(Number);
const opened = await Promise.all(
  Array.from({ length: connections }, () => Deno.connect({ hostname: "127.0.0.1", port })),
);

const latencies: number[] = [];
let messages = 0;
const begin = performance.now() + WARM_UP;
const end = begin + duration;

async function converse(connection: Deno.TcpConn): Promise<void> {
  const message = new Uint8Array(MESSAGE_SIZE);
  const buffer = new Uint8Array(MESSAGE_SIZE);
  let sent = performance.now();
  while (sent < end) {
    await connection.write(message);
    for (let received = 0; received < MESSAGE_SIZE;) {
      const n = await connection.read(buffer);
      if (n === null) throw new Error("The server hung up");
      received += n;
    }
    messages++;
    const now = performance.now();
    if (sent >= begin) latencies.push(now - sent);
    sent = now;
  }
  connection.close();
}

await Promise.all(opened.map(converse));

const sorted = Float64Array.from(latencies).sort();
const load: Load = {
  throughput: sorted.length * 1_000 / duration,
  messages,
  p50: sorted[Math.floor(sorted.length * 0.5)] * 1_000,
  p99: sorted[Math.floor(sorted.length * 0.99)] * 1_000,
};
console.log(JSON.stringify(load));
