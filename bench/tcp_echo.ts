import { spawnBench } from "./_child.ts";
import type { Load } from "./_echo_load.ts";
import { median } from "./_measure.ts";
import { report } from "./_report.ts";

const ROUNDS = 7;
const DURATION = 1_000;

/** Put load on the server at `port`, from a process of its own. */
async function loadOf(port: string, connections: number): Promise<Load> {
  const child = spawnBench("_echo_load.ts", port, String(connections), String(DURATION));
  const { value } = await child.lines().next();
  if (!await child.succeeded()) throw new Error(`The load on port ${port} failed`);
  return JSON.parse(value);
}

const evergreen = spawnBench("_echo_evergreen.ts");
const bare = spawnBench("_echo_bare.ts");
try {
  const evergreenPort = (await evergreen.lines().next()).value;
  const barePort = (await bare.lines().next()).value;

  for (const connections of [50, 500]) {
    const ours: Load[] = [];
    const floor: Load[] = [];
    for (let round = -1; round < ROUNDS; round++) {
      const oursNow = await loadOf(evergreenPort, connections);
      const floorNow = await loadOf(barePort, connections);
      if (round < 0) continue;
      ours.push(oursNow);
      floor.push(floorNow);
    }
    const operation = `TCP echo, 64 bytes, ${connections} connections, to \`Deno.listen\``;
    const medians = (key: keyof Load) => ({
      ours: median(ours.map((load) => load[key])),
      floor: median(floor.map((load) => load[key])),
    });
    report({
      operation,
      ...medians("throughput"),
      unit: "per second",
      bound: { kind: "at least", limit: 0.9 },
    });
    report({ operation: `${operation}: p50`, ...medians("p50"), unit: "us" });
    report({
      operation: `${operation}: p99`,
      ...medians("p99"),
      unit: "us",
      bound: { kind: "at most", limit: 1 },
    });
  }
} finally {
  await evergreen.stop();
  await bare.stop();
}
