import { compare } from "./_measure.ts";
import { callMany, ownPool, PEERS } from "./_pools.ts";
import { report } from "./_report.ts";

const CALLS = 20_000;
const IN_FLIGHT = 8;

// Code outside every task makes the calls, so that nobody's way to wait is measured but the pools' own.
for (const [name, start] of Object.entries(PEERS)) {
  const [own, peer] = [ownPool(), await start()];
  report({
    operation: `Call in 2 threads, 8 in flight, to ${name}`,
    ...await compare(
      () => callMany(own, CALLS, IN_FLIGHT),
      () => callMany(peer, CALLS, IN_FLIGHT),
      { operations: CALLS, rounds: 7, warmUp: 2 },
    ),
    unit: "ns",
    bound: { kind: "at most", limit: 1 },
  });
  await Promise.all([own.end(), peer.end()]);
}
Deno.exit(); // Not every peer lets the program end.
