// TCP on raw sockets against `Deno.listen`, and against its neighbours where they are installed. The load comes
// from raw sockets, too.
import { type EchoServer, runLoad, startNeighbours, startServer } from "./_echo_servers.ts";
import type { Load } from "./_echo_load.ts";
import { median } from "./_measure.ts";
import { type Bound, report } from "./_report.ts";
import { undisturbed } from "./_undisturbed.ts";

const ROUNDS = 7;
const DURATION = 1_000;

/** What is asked of the throughput, by whom it is compared with. */
const BOUNDS: Record<string, Bound> = {
  "`Deno.listen`": { kind: "at least", limit: 1.15 },
  "Go, one processor": { kind: "at least", limit: 1 },
  "asyncio with uvloop": { kind: "at least", limit: 1 },
};

Deno.env.set("EVERGREEN_REACTOR", "fd");
const ours = await startServer('reactor: "fd"', "_echo_evergreen.ts");
Deno.env.delete("EVERGREEN_REACTOR");
const others = [
  await startServer("`Deno.listen`", "_echo_bare.ts"),
  ...await startNeighbours(),
];
const processes = [ours, ...others].map(({ process }) => process);
try {
  for (const connections of [50, 500]) {
    const loads = new Map<EchoServer, Load[]>();
    for (let round = -1; round < ROUNDS; round++) {
      for (const server of [ours, ...others]) {
        const load = await undisturbed(
          processes,
          () => runLoad("_echo_load_fd.ts", server.port, connections, DURATION),
        );
        if (round < 0) loads.set(server, []);
        else loads.get(server)!.push(load);
      }
    }
    const of = (server: EchoServer, key: keyof Load) =>
      median(loads.get(server)!.map((load) => load[key]));
    for (const other of others) {
      const operation =
        `TCP echo, 64 bytes, ${connections} connections, ${ours.name}, to ${other.name}`;
      const bound = BOUNDS[other.name];
      report({
        operation,
        ours: of(ours, "throughput"),
        floor: of(other, "throughput"),
        unit: "per second",
        bound,
      });
      report({
        operation: `${operation}: p99`,
        ours: of(ours, "p99"),
        floor: of(other, "p99"),
        unit: "us",
        bound: bound && { kind: "at most", limit: 1 },
      });
    }
  }
} finally {
  for (const process of processes) await process.stop();
}
