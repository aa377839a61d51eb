/**
 * Makes thumbnails of all pictures of a folder, on all cores, with a progress bar.
 *
 *     deno run -A examples/thumbnails.ts <folder with .ppm files> <folder for thumbnails> [size]
 *
 * Ctrl-C stops it: what is being made is dropped, what is there stays.
 */
import {
  asCompleted,
  current,
  type Future,
  moduleFunction,
  Progress,
  spawn,
  ThreadPoolExecutor as Pool, // ProcessPoolExecutor as Pool: the same in processes.
} from "@evergreen/evergreen";

const makeThumbnail = moduleFunction<typeof import("./thumbnail.ts"), "makeThumbnail">(
  new URL("./thumbnail.ts", import.meta.url),
  "makeThumbnail",
);

const [source, target, size = "128"] = Deno.args;
if (source === undefined || target === undefined) {
  console.error("Give a folder with .ppm files, and a folder for the thumbnails");
  Deno.exit(2);
}
await Deno.mkdir(target, { recursive: true });

await using pool = new Pool();
const names = new Map<Future<number>, string>();
const done: number[] = [];
for await (const { name } of Deno.readDir(source)) {
  if (!name.endsWith(".ppm")) continue;
  const progress = new Progress<number>();
  const index = done.push(0) - 1;
  const call = pool.submit(
    makeThumbnail,
    `${source}/${name}`,
    `${target}/${name}`,
    Number(size),
    progress,
  );
  names.set(call, name);
  spawn(async () => {
    for await (const part of progress) {
      done[index] = part;
      draw();
    }
  });
}

let stopped = false;
using _ctrlC = current.loop.addSignalHandler("SIGINT", () => {
  stopped = true;
  for (const call of names.keys()) call.terminate();
});

let made = 0;
for await (const call of asCompleted(names.keys())) {
  if (call.cancelled) continue;
  try {
    await call.get();
    made++;
  } catch (error) {
    console.error(`\n${names.get(call)}: ${error}`);
  }
}
console.log(`\n${stopped ? "Stopped. " : ""}${made} of ${names.size} thumbnails made`);

function draw(): void {
  const part = done.reduce((sum, each) => sum + each, 0) / done.length;
  const bar = "#".repeat(Math.round(part * 40)).padEnd(40, ".");
  Deno.stdout.writeSync(new TextEncoder().encode(`\r[${bar}] ${Math.round(part * 100)} %`));
}
