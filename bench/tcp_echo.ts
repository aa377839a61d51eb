// TCP against `Deno.listen`; and what servers in other languages stand, where they are installed.
import type { Load } from "./_echo_load.ts";
import {
  type EchoServer,
  nextLine,
  runLoad,
  startNeighbours,
  startServer,
} from "./_echo_servers.ts";
import { median } from "./_measure.ts";
import { report } from "./_report.ts";

const ROUNDS = 7;
const NEIGHBOURS_ROUNDS = 3;
const DURATION = 1_000;

/** What a server stood, and at which cost. */
interface Stood extends Load {
  /** Microseconds of processor time that the server used for a message, accepting its clients included. */
  processorTime: number;
}

async function processorTimeOf({ process }: EchoServer): Promise<number> {
  process.signal("SIGUSR2");
  return Number(await nextLine(process));
}

async function loadOf(server: EchoServer, connections: number): Promise<Stood> {
  const before = await processorTimeOf(server);
  const load = await runLoad("_echo_load.ts", server.port, connections, DURATION);
  const processorTime = (await processorTimeOf(server) - before) / load.messages;
  return { ...load, processorTime };
}

const evergreen = await startServer("this library", "_echo_evergreen.ts");
const bare = await startServer("`Deno.listen`", "_echo_bare.ts");
const neighbours = await startNeighbours();
try {
  for (const connections of [1, 50, 500]) {
    const ours: Stood[] = [];
    const floor: Stood[] = [];
    const theirs = new Map<EchoServer, Load[]>(neighbours.map((server) => [server, []]));
    for (let round = -1; round < ROUNDS; round++) {
      const oursNow = await loadOf(evergreen, connections);
      const floorNow = await loadOf(bare, connections);
      if (round < 0) continue;
      ours.push(oursNow);
      floor.push(floorNow);
      if (round >= NEIGHBOURS_ROUNDS) continue;
      for (const [server, loads] of theirs) {
        loads.push(await runLoad("_echo_load.ts", server.port, connections, DURATION));
      }
    }
    const operation = `TCP echo, 64 bytes, ${connections} connections, to`;
    const medians = (key: keyof Stood) => ({
      ours: median(ours.map((load) => load[key])),
      floor: median(floor.map((load) => load[key])),
    });
    report({
      operation: `${operation} ${bare.name}`,
      ...medians("throughput"),
      unit: "per second",
      bound: { kind: "at least", limit: 0.95 },
    });
    report({
      operation: `${operation} ${bare.name}: processor time`,
      ...medians("processorTime"),
      unit: "us",
    });
    report({ operation: `${operation} ${bare.name}: p50`, ...medians("p50"), unit: "us" });
    report({
      operation: `${operation} ${bare.name}: p99`,
      ...medians("p99"),
      unit: "us",
      bound: { kind: "at most", limit: 1 },
    });
    for (const [server, loads] of theirs) {
      for (const [key, unit] of [["throughput", "per second"], ["p99", "us"]] as const) {
        report({
          operation: `${operation} ${server.name}${key === "p99" ? ": p99" : ""}`,
          ours: median(ours.map((load) => load[key])),
          floor: median(loads.map((load) => load[key])),
          unit,
        });
      }
    }
  }
} finally {
  for (const { process } of [evergreen, bare, ...neighbours]) await process.stop();
}
