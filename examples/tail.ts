/**
 * Follows files and pipes, as `tail -f` does, with one task. Start it by
 *
 * ```sh
 * deno run --allow-ffi --allow-read examples/tail.ts access.log error.log - < some-pipe
 * ```
 *
 * It waits for all of them at once, by raw descriptor, with `lib.select`. A pipe is ready when there is something to
 * read. A file is always ready, so the system is asked to tell of its changes by a descriptor of its own (inotify,
 * which Linux has).
 */
import { EventLoop, lib } from "@evergreen/evergreen";

const MODIFIED = 0x2;
const NONBLOCK = 0o4000;
const CLOEXEC = 0o2000000;

const libc = Deno.dlopen("libc.so.6", {
  inotify_init1: { parameters: ["i32"], result: "i32" },
  inotify_add_watch: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
}).symbols;

/** Something that is followed: where its news come from, and what prints them. Returns whether it goes on. */
interface Source {
  readonly descriptor: number;
  print(): boolean;
}

const buffer = new Uint8Array(65_536);
const output = (bytes: Uint8Array): void => {
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
};

function pipe(descriptor: number): Source {
  return {
    descriptor,
    print() {
      const count = Number(libc.read(descriptor, buffer, BigInt(buffer.length)));
      if (count > 0) output(buffer.subarray(0, count));
      return count > 0;
    },
  };
}

function file(path: string): Source {
  const content = Deno.openSync(path);
  const descriptor = libc.inotify_init1(NONBLOCK | CLOEXEC);
  const name = new TextEncoder().encode(`${path}\0`);
  if (libc.inotify_add_watch(descriptor, name, MODIFIED) < 0) {
    throw new Error(`Cannot follow ${path}: the system does not tell of its changes`);
  }
  const source: Source = {
    descriptor,
    print() {
      libc.read(descriptor, buffer, BigInt(buffer.length)); // What has happened: that it was written to.
      for (let count = content.readSync(buffer); count; count = content.readSync(buffer)) {
        output(buffer.subarray(0, count));
      }
      return true;
    },
  };
  source.print();
  return source;
}

const loop = EventLoop.current();
let interrupted = false;
let sources = Deno.args.map((name) => name === "-" ? pipe(0) : file(name));
const stop = new AbortController();
using _ = loop.addSignalHandler("SIGINT", () => {
  interrupted = true;
  stop.abort();
});

try {
  while (sources.length > 0) {
    const [ready] = await lib.select.select(
      sources.map(({ descriptor }) => descriptor),
      [],
      { signal: stop.signal },
    );
    sources = sources.filter((source) => !ready.includes(source.descriptor) || source.print());
  }
} catch (error) {
  if (!interrupted) throw error;
}
