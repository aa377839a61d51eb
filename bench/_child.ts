/** A program of this folder in a process of its own, which answers in lines of text. */
export interface Child {
  /** The number of its process. */
  readonly id: number;
  /** What it prints, line by line. */
  lines(): AsyncIterableIterator<string>;
  /** Send it a signal. */
  signal(name: Deno.Signal): void;
  /** Wait until it has ended; whether that was without an error. */
  succeeded(): Promise<boolean>;
  /** End it now. */
  stop(): Promise<void>;
}

/** Start the file `name` of this folder. */
export function spawnBench(name: string, ...args: string[]): Child {
  const file = new URL(name, import.meta.url);
  return spawnCommand(
    Deno.execPath(),
    ["run", "--allow-all", "--quiet", "--v8-flags=--expose-gc", file.href, ...args],
  );
}

/** Start another program, one of a neighbour for instance. If it cannot be started, it prints nothing. */
export function spawnCommand(command: string, args: string[]): Child {
  let process: Deno.ChildProcess;
  try {
    process = new Deno.Command(command, {
      args,
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return {
      id: 0,
      lines: async function* () {},
      signal: () => {},
      succeeded: () => Promise.resolve(false),
      stop: () => Promise.resolve(),
    };
  }
  const lines = splitLines(process.stdout);
  return {
    id: process.pid,
    lines: () => lines,
    signal: (name) => process.kill(name),
    async succeeded() {
      return (await process.status).success;
    },
    async stop() {
      process.kill();
      await process.status;
    },
  };
}

async function* splitLines(bytes: ReadableStream<Uint8Array>): AsyncIterableIterator<string> {
  let rest = "";
  for await (const chunk of bytes.pipeThrough(new TextDecoderStream() as TransformStream)) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
  if (rest !== "") yield rest;
}
