/** Kinds of streams that stand on descriptors: files, pipes, terminals, and the program's own streams. */
import {
  BaseStream,
  FileError,
  openFile,
  PipeError,
  PipeStream,
  StderrStream,
  StdinStream,
  StdoutStream,
  StreamError,
  TtyError,
  TtyStream,
} from "../../mod.ts";
import { RawSystem } from "../raw_descriptors.ts";
import type { Abilities, Kind, Pair } from "./_kinds.ts";

const PIPE: Abilities & { volume: number } = {
  waits: true,
  stalls: true,
  duplex: false,
  ends: true,
  immediate: true,
  breaks: true,
  volume: 100_000_000,
};

const FILE: Abilities & { volume: number } = {
  waits: false,
  stalls: false,
  duplex: false,
  ends: true,
  immediate: false, // The platform writes files in threads.
  breaks: false,
  volume: 100_000_000,
};

const TERMINAL: Abilities & { volume: number } = {
  waits: true,
  stalls: true,
  duplex: false,
  ends: false, // Whoever is on the other side sees that it has hung up: that has tests of its own.
  immediate: false,
  breaks: false,
  volume: 1_000_000, // The system takes 4 KB at a time, so that more would measure its patience only.
};

function both(near: BaseStream, far: BaseStream, also?: Disposable): Pair {
  const close = () => {
    near.close();
    far.close();
    also?.[Symbol.dispose]();
  };
  return { near, far, close };
}

/** The other side of a terminal, which is no terminal itself. */
class TerminalSide extends BaseStream {
  constructor(system: RawSystem, fd: number) {
    super();
    const ended = Promise.withResolvers<never>();
    ended.promise.catch(() => {});
    const timers = new Set<number>();
    const patiently = async <T>(act: () => T | null): Promise<T> => {
      while (!this.closed) {
        const result = act();
        if (result !== null) return result;
        const pause = Promise.withResolvers<void>();
        const timer = setTimeout(pause.resolve, 1) as unknown as number;
        timers.add(timer);
        await Promise.race([pause.promise, ended.promise]);
        timers.delete(timer);
      }
      return await ended.promise;
    };
    this.attach({
      read: (into) =>
        patiently(() => {
          const count = system.readInto(fd, into as Uint8Array<ArrayBuffer>);
          return count > 0 ? count : null;
        }),
      write: (data) =>
        patiently(() => {
          const count = system.write(fd, data as Uint8Array<ArrayBuffer>);
          return count >= 0 ? count : null;
        }),
      closeWrite: () => {},
      close: () => {
        for (const timer of timers) clearTimeout(timer);
        ended.reject(new Deno.errors.Interrupted("operation canceled"));
        system.close(fd);
      },
      ref: () => {},
      unref: () => {},
    });
  }

  protected override get address(): string {
    return "the other side of a terminal";
  }
}

function opened(fd: number): PipeStream {
  const stream = new PipeStream();
  stream.open(fd);
  return stream;
}

const file: Kind = {
  name: "FileStream",
  error: FileError,
  ...FILE,
  async connect() {
    const path = await Deno.makeTempFile();
    const near = await openFile(path, { append: true });
    const far = await openFile(path);
    return both(near, far, { [Symbol.dispose]: () => Deno.removeSync(path) });
  },
};

const pipe: Kind = {
  name: "PipeStream on a pipe",
  error: PipeError,
  ...PIPE,
  connect() {
    const system = new RawSystem();
    const [far, near] = system.pipe().map((fd) => opened(system.release(fd)));
    return Promise.resolve(both(near, far, system));
  },
};

const socketPair: Kind = {
  name: "PipeStream on a socket",
  error: PipeError,
  ...PIPE,
  duplex: true,
  connect() {
    const system = new RawSystem();
    const [near, far] = system.socketPair().map((fd) => opened(system.release(fd)));
    return Promise.resolve(both(near, far, system));
  },
};

const writtenTerminal: Kind = {
  name: "TtyStream that is written",
  error: TtyError,
  ...TERMINAL,
  connect() {
    const system = new RawSystem();
    const [slave, master] = system.terminal();
    const pair = both(new TtyStream(slave, false), new TerminalSide(system, master), system);
    // A write that a thread waits in fails then, and nobody tells when.
    const settled = () => new Promise<void>((resolve) => setTimeout(resolve, 50));
    return Promise.resolve({ ...pair, settled });
  },
};

const readTerminal: Kind = {
  name: "TtyStream that is read",
  error: StreamError,
  ...TERMINAL,
  connect() {
    const system = new RawSystem();
    const [slave, master] = system.terminal();
    const near = new TerminalSide(system, master);
    return Promise.resolve(both(near, new TtyStream(slave, true), system));
  },
};

const inWindows = Deno.build.os === "windows";

/** Those that a program can make itself. */
export const descriptorKinds: readonly Kind[] = [
  file,
  ...(inWindows ? [] : [pipe, socketPair, writtenTerminal, readTerminal]),
];

/** Where one of the program's own streams leads, and how the program itself gets at the other side. */
export interface Wiring {
  /** What a shell makes the stream of: "<&5". */
  readonly redirection: string;
  /** The other side: a descriptor, or the path of a file. */
  readonly other: number | string;
}

/** A kind of stream of which a program has one. Its laws hold in programs that are started for them. */
export interface OwnKind extends Kind {
  /** Makes the two sides, in the program that starts the other one. */
  wire(system: RawSystem): Wiring;
  /** The pair, in the program that was started. */
  open(other: string): Promise<Pair>;
}

type Streams = { near: () => BaseStream } | { far: () => BaseStream };

function own(
  name: string,
  direction: "<" | "1>" | "2>" | "7<" | "7>",
  behind: "a pipe" | "a terminal" | "a file",
  error: Kind["error"],
  streams: Streams,
): OwnKind {
  const reads = direction.endsWith("<");
  const abilities = behind === "a file" ? FILE : behind === "a terminal" ? TERMINAL : PIPE;
  const others = {
    "a pipe": (system: RawSystem) => system.pipe(true).toReversed(),
    "a terminal": (system: RawSystem) => reads ? system.terminal().toReversed() : system.terminal(),
  };
  return {
    name: `${name} on ${behind}`,
    error: reads
      ? (behind === "a file" ? FileError : behind === "a terminal" ? StreamError : PipeError)
      : error,
    ...abilities,
    // Closing the program's own streams leaves them open; and the platform writes them in threads.
    ...(direction === "<" ? { breaks: false } : {}),
    ...(reads || direction === "7>" ? {} : { immediate: false, ends: behind === "a file" }),
    wire(system) {
      if (behind === "a file") {
        const path = Deno.makeTempFileSync();
        return { redirection: `${direction}${reads ? "" : ">"}"${path}"`, other: path };
      }
      const [near, far] = others[behind](system);
      return {
        // Moved, so that nobody else holds that side open.
        redirection: `${direction}&${reads ? far : near}-`,
        other: reads ? near : far,
      };
    },
    async open(other) {
      if (behind === "a terminal") {
        const system = new RawSystem();
        const side = new TerminalSide(system, Number(other));
        return "far" in streams
          ? both(side, streams.far(), system)
          : both(streams.near(), side, system);
      }
      const stream = Number.isNaN(Number(other))
        ? await openFile(other, reads ? { append: true } : { read: true })
        : opened(Number(other));
      return "far" in streams ? both(stream, streams.far()) : both(streams.near(), stream);
    },
    connect: () => Promise.reject(new Error("It is made in a program of its own")),
  };
}

/** Those of which a program has one. */
export const ownKinds: readonly OwnKind[] = inWindows ? [] : [
  ...(["a pipe", "a terminal", "a file"] as const).flatMap((behind) => {
    const error = behind === "a terminal" ? TtyError : PipeError;
    return [
      own("StdinStream", "<", behind, error, { far: () => new StdinStream() }),
      own("StdoutStream", "1>", behind, error, { near: () => new StdoutStream() }),
      own("StderrStream", "2>", behind, error, { near: () => new StderrStream() }),
    ];
  }),
  own("PipeStream that was inherited", "7<", "a pipe", PipeError, { far: () => opened(7) }),
  own("PipeStream that was inherited, to write", "7>", "a pipe", PipeError, {
    near: () => opened(7),
  }),
  own("PipeStream that was inherited", "7<", "a file", PipeError, { far: () => opened(7) }),
];
