import { type Child, spawnBench } from "./_child.ts";
import type { Load } from "./_echo_load.ts";
import { median } from "./_measure.ts";
import { report } from "./_report.ts";

const ROUNDS = 7;
const DURATION = 1_000;

interface Server {
  process: Child;
  port: string;
}

/** What a server stood, and at which cost. */
interface Stood extends Load {
  /** Microseconds of processor time that the server used for a message, accepting its clients included. */
  processorTime: number;
}

async function nextLine(child: Child): Promise<string> {
  const { value, done } = await child.lines().next();
  if (done) throw new Error("It ended before it had answered");
  return value;
}

async function startServer(name: string): Promise<Server> {
  const process = spawnBench(name);
  return { process, port: await nextLine(process) };
}

async function processorTimeOf({ process }: Server): Promise<number> {
  process.signal("SIGUSR2");
  return Number(await nextLine(process));
}

/** Put load on `server`, from a process of its own. */
async function loadOf(server: Server, connections: number): Promise<Stood> {
  const before = await processorTimeOf(server);
  const load = await runLoad(server.port, connections);
  const processorTime = (await processorTimeOf(server) - before) / load.messages;
  return { ...load, processorTime };
}

async function runLoad(port: string, connections: number): Promise<Load> {
  const child = spawnBench("_echo_load.ts", port, String(connections), String(DURATION));
  const line = await nextLine(child);
  if (!await child.succeeded()) throw new Error(`The load on port ${port} failed`);
  return JSON.parse(line);
}

const evergreen = await startServer("_echo_evergreen.ts");
const bare = await startServer("_echo_bare.ts");
try {
  for (const connections of [1, 50, 500]) {
    const ours: Stood[] = [];
    const floor: Stood[] = [];
    for (let round = -1; round < ROUNDS; round++) {
      const oursNow = await loadOf(evergreen, connections);
      const floorNow = await loadOf(bare, connections);
      if (round < 0) continue;
      ours.push(oursNow);
      floor.push(floorNow);
    }
    const operation = `TCP echo, 64 bytes, ${connections} connections, to \`Deno.listen\``;
    const medians = (key: keyof Stood) => ({
      ours: median(ours.map((load) => load[key])),
      floor: median(floor.map((load) => load[key])),
    });
    report({
      operation,
      ...medians("throughput"),
      unit: "per second",
      bound: { kind: "at least", limit: 0.9 },
    });
    report({
      operation: `${operation}: processor time`,
      ...medians("processorTime"),
      unit: "us",
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
  await evergreen.process.stop();
  await bare.process.stop();
}
