/** The server of `parallel_server.ts`: it counts the primes below a number. */

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
