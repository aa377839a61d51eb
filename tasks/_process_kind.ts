import { outside } from "../loop/outside.ts";
import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";
import { sharesMemory } from "../loop/transfer.ts";
import { encodeFrame, FrameReader } from "./_frames.ts";
import { permissionFlags } from "./_permission_flags.ts";
import type { Remote, RemoteEvents, WorkerKind } from "./_worker_kind.ts";
import type { FromWorker, ToWorker } from "./_worker_messages.ts";
import { CHANNEL } from "./_worker_process.ts";

/** What a process works from is found beside this file, wherever that is. */
const entry = new URL("./_worker_process.ts", import.meta.url);

/** How a process is started. */
export interface ProcessOptions {
  readonly permissions?: Deno.PermissionOptions;
  readonly memoryLimit?: number;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string | URL;
}

/** Processes: Deno again, with a pipe of its own beside the standard ones. */
export class ProcessKind implements WorkerKind {
  readonly name = "process";
  readonly plural = "processes";
  readonly #options: ProcessOptions;
  readonly #entry: URL;

  constructor(options: ProcessOptions, main: URL = entry) {
    this.#options = options;
    this.#entry = main;
  }

  pack(message: ToWorker): Uint8Array {
    if (sharesMemory(message[3])) throw new TypeError("processes share no memory");
    return encodeFrame(message);
  }

  start(events: RemoteEvents): Remote {
    checkPermissions();
    return outside(() => new Process(events, this.#entry, this.#options));
  }
}

class Process implements Remote {
  readonly stopped = null;
  readonly #child: ChildProcess;
  readonly #socket: Socket & { ref(): void; unref(): void };

  constructor(events: RemoteEvents, main: URL, options: ProcessOptions) {
    const { permissions = "inherit", memoryLimit, args = [], env, cwd } = options;
    const child = this.#child = spawn(Deno.execPath(), [
      "run",
      "--no-prompt",
      ...permissionFlags(permissions),
      ...(memoryLimit === undefined ? [] : [`--v8-flags=--max-old-space-size=${memoryLimit}`]),
      ...args,
      main.href,
    ], {
      cwd,
      env: { ...inheritedEnv(), ...env },
      stdio: ["ignore", "inherit", "inherit", "pipe"],
    });
    this.#socket = child.stdio[CHANNEL] as Socket;
    const frames = new FrameReader();
    this.#socket.on("data", (chunk: Uint8Array) => {
      for (const message of frames.read(chunk)) events.message(message as FromWorker);
    });
    this.#socket.on("error", () => {}); // The process has gone, which its exit tells better.
    child.on("exit", (code: number | null, signal: string | null) => {
      // What it sent last may still be in the pipe.
      setImmediate(() =>
        setImmediate(() => {
          this.#socket.destroy();
          events.gone(describeExit(code, signal));
        })
      );
    });
    this.unref();
  }

  send(packed: unknown): void {
    this.#socket.write(packed as Uint8Array);
  }

  ref(): void {
    this.#child.ref();
    this.#socket.ref();
  }

  unref(): void {
    this.#child.unref();
    this.#socket.unref();
  }

  end(): void {
    this.#socket.end();
  }

  terminate(): void {
    this.#child.kill("SIGKILL");
  }
}

function describeExit(code: number | null, signal: string | null): string {
  if (signal === null) return `it ended itself, with exit code ${code}`;
  const suspicion = signal === "SIGABRT" || signal === "SIGTRAP"
    ? ", which is how a process ends that runs out of memory"
    : "";
  return `it was killed by ${signal}${suspicion}`;
}

function checkPermissions(): void {
  const { querySync } = Deno.permissions;
  const query = querySync.bind(Deno.permissions);
  if (query({ name: "run", command: Deno.execPath() }).state !== "granted") {
    throw new Deno.errors.NotCapable(
      "Cannot start a process: run the program with --allow-run, or --allow-run=deno",
    );
  }
  // The platform looks at that variable, whatever it is given.
  if (query({ name: "env", variable: "NODE_V8_COVERAGE" }).state !== "granted") {
    throw new Deno.errors.NotCapable(
      "Cannot start a process: run the program with --allow-env, or --allow-env=NODE_V8_COVERAGE",
    );
  }
}

function inheritedEnv(): Record<string, string> {
  const { state } = Deno.permissions.querySync({ name: "env" });
  return state === "granted" ? Deno.env.toObject() : {};
}
