/**
 * Sends each datagram back to where it came from.
 *
 * Run it with `deno run --allow-net examples/udp_echo.ts [port]`, then talk to it: `nc -u 127.0.0.1 1234`. Ctrl-C
 * ends it.
 *
 * @module
 */
import { EventLoop, spawn, UdpEndpoint } from "@evergreen/evergreen";

const endpoint = new UdpEndpoint();
try {
  endpoint.bind({ hostname: "127.0.0.1", port: Number(Deno.args[0] ?? 1234) });
} catch (error) {
  console.error((error as Error).message);
  Deno.exit(1);
}
console.log(`listening on ${endpoint.sockname.hostname}:${endpoint.sockname.port}`);

const loop = EventLoop.current();
loop.addSignalHandler("SIGINT", () => endpoint.close());
spawn(async () => {
  for await (const [data, address] of endpoint) await endpoint.send(data, address);
});
await loop.run();
console.log("bye");
