// TCP on raw sockets against `Deno.listen`, and against its neighbours where they are installed: go (one processor)
// and python3 with uvloop. The load comes from raw sockets, too.
import { type Child, spawnBench, spawnCommand } from "./_child.ts";
import type { Load } from "./_echo_load.ts";
import { median } from "./_measure.ts";
import { report } from "./_report.ts";

const ROUNDS = 5;
const DURATION = 1_000;

async function loadOf(port: string, connections: number): Promise<Load> {
  const child = spawnBench("_echo_load_fd.ts", port, String(connections), String(DURATION));
  const { value } = await child.lines().next();
  if (!await child.succeeded()) throw new Error(`The load on port ${port} failed`);
  return JSON.parse(value);
}

/** A server that prints its port, or nothing if it is not there. */
interface Server {
  readonly name: string;
  readonly child: Child;
  readonly port: string;
  readonly loads: Load[];
}

async function start(name: string, child: Child): Promise<Server[]> {
  const { value, done } = await child.lines().next();
  if (done || !/^\d+$/.test(value)) return [];
  return [{ name, child, port: value, loads: [] }];
}

const file = (name: string) => new URL(name, import.meta.url).pathname;
Deno.env.set("EVERGREEN_REACTOR", "fd");
const [ours] = await start('reactor: "fd"', spawnBench("_echo_evergreen.ts"));
Deno.env.delete("EVERGREEN_REACTOR");
const others = [
  ...await start("`Deno.listen`", spawnBench("_echo_bare.ts")),
  ...await start("Go, one processor", spawnCommand("go", ["run", file("echo_server.go")])),
  ...await start("uvloop", spawnCommand("/usr/bin/python3", [file("_echo_uvloop.py")])),
];
const servers = [ours, ...others];
try {
  for (const connections of [50, 500]) {
    for (const server of servers) server.loads.length = 0;
    for (let round = -1; round < ROUNDS; round++) {
      for (const server of servers) {
        const load = await loadOf(server.port, connections);
        if (round >= 0) server.loads.push(load);
      }
    }
    for (const other of others) {
      const operation =
        `TCP echo, 64 bytes, ${connections} connections, ${ours.name}, to ${other.name}`;
      const medians = (key: keyof Load) => ({
        ours: median(ours.loads.map((load) => load[key])),
        floor: median(other.loads.map((load) => load[key])),
      });
      report({
        operation,
        ...medians("throughput"),
        unit: "per second",
        bound: { kind: "at least", limit: other.name === "`Deno.listen`" ? 1.15 : 1 },
      });
      report({
        operation: `${operation}: p99`,
        ...medians("p99"),
        unit: "us",
        bound: { kind: "at most", limit: 1 },
      });
    }
  }
} finally {
  for (const { child } of servers) await child.stop();
}
