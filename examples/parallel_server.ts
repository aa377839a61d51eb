/**
 * A web server on every core of the machine.
 *
 *     deno run -A examples/parallel_server.ts [port] [workers]
 *
 * SIGHUP replaces its processes one by one, without refusing a request; SIGTERM and Ctrl-C stop them.
 */
import { serveOnAllCores } from "@evergreen/evergreen";

/** Something to compute. */
function countPrimes(below: number): number {
  const composite = new Uint8Array(below);
  let count = 0;
  for (let n = 2; n < below; n++) {
    if (composite[n]) continue;
    count++;
    for (let multiple = n * n; multiple < below; multiple += n) composite[multiple] = 1;
  }
  return count;
}

export default {
  fetch(request: Request): Response {
    const below = Number(new URL(request.url).searchParams.get("below") ?? 10_000);
    if (!(below >= 2 && below <= 10_000_000)) {
      return new Response("below must be a number from 2 to 10000000\n", { status: 400 });
    }
    return Response.json({ below, primes: countPrimes(below), pid: Deno.pid });
  },
};

// The same file is the module of the server and the program that starts it.
if (import.meta.main) {
  const [port = 8000, workers] = Deno.args.map(Number);
  await serveOnAllCores(import.meta.url, {
    port,
    workers,
    onListen: ({ port }) => console.log(`Serving on http://localhost:${port}/?below=1000`),
  });
  console.log("Stopped");
}
