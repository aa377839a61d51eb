import { type Child, spawnBench, spawnCommand } from "./_child.ts";
import type { Load } from "./_echo_load.ts";

/** An echo server in a process of its own. */
export interface EchoServer {
  readonly name: string;
  readonly process: Child;
  readonly port: string;
}

/** Whatever a process prints next. */
export async function nextLine(child: Child): Promise<string> {
  const { value, done } = await child.lines().next();
  if (done) throw new Error("It ended before it had answered");
  return value;
}

/** Start a server of this folder, on Deno. */
export async function startServer(name: string, file: string): Promise<EchoServer> {
  const process = spawnBench(file);
  return { name, process, port: await nextLine(process) };
}

/** Servers of neighbours: what is to be installed for each, and how it is started. */
const NEIGHBOURS: Record<string, { needs: string; start: () => Promise<Child> }> = {
  "Go, one processor": { needs: "golang-go", start: startGo },
  "asyncio with uvloop": { needs: "python3-uvloop", start: () => startPython("_echo_uvloop.py") },
  gevent: { needs: "python3-gevent", start: () => startPython("_echo_gevent.py") },
};

/** Start the servers of those neighbours that are installed, and say which ones are not. */
export async function startNeighbours(): Promise<EchoServer[]> {
  const servers: EchoServer[] = [];
  for (const [name, { needs, start }] of Object.entries(NEIGHBOURS)) {
    const process = await start();
    const { value, done } = await process.lines().next();
    if (!done && /^\d+$/.test(value)) servers.push({ name, process, port: value });
    else console.error(`${name} is not measured, for it is not installed (${needs})`);
  }
  return servers;
}

/** Put load on a server, by one of the two programs that do so, in a process of its own. */
export async function runLoad(
  program: "_echo_load.ts" | "_echo_load_fd.ts",
  port: string,
  connections: number,
  duration: number,
): Promise<Load> {
  const child = spawnBench(program, port, String(connections), String(duration));
  const line = await nextLine(child);
  if (!await child.succeeded()) throw new Error(`The load on port ${port} failed`);
  return JSON.parse(line);
}

function fileOf(name: string): string {
  return new URL(name, import.meta.url).pathname;
}

// What the system's own Python has, whichever other ones there are.
function startPython(name: string): Promise<Child> {
  return Promise.resolve(spawnCommand("/usr/bin/python3", [fileOf(name)]));
}

async function startGo(): Promise<Child> {
  const folder = await Deno.makeTempDir();
  try {
    // Not `go run`: its program would go on when that is stopped.
    const program = `${folder}/echo_server`;
    await spawnCommand("go", ["build", "-o", program, fileOf("echo_server.go")]).succeeded();
    return spawnCommand(program, []);
  } finally {
    // A program that runs needs its file no more.
    await Deno.remove(folder, { recursive: true });
  }
}
