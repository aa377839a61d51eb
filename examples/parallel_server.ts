/**
 * A web server on every core of the machine.
 *
 *     deno run -A examples/parallel_server.ts [port] [workers]
 *
 * SIGHUP replaces its processes one by one; SIGTERM and Ctrl-C stop them. What was begun is answered.
 */
import { serveOnAllCores } from "@evergreen/evergreen";

const [port = 8000, workers] = Deno.args.map(Number);
await serveOnAllCores(new URL("./primes_server.ts", import.meta.url), {
  port,
  workers,
  onListen: ({ port }) => console.log(`Serving on http://localhost:${port}/?below=1000`),
});
console.log("Stopped");
