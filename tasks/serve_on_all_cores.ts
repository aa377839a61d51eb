import { checkCount, checkDelay } from "../loop/arguments.ts";
import { EventLoop } from "../loop/event_loop.ts";
import { holdLoop } from "../loop/hold.ts";
import { Scheduler } from "../loop/scheduler.ts";
import type { ProcessOptions } from "./_process_kind.ts";
import { ServerProcess } from "./_server_process.ts";
import { BrokenExecutor } from "./broken_executor.ts";
import { Future } from "./future.ts";
import { sleep } from "./sleep.ts";
import { TaskGroup } from "./task_group.ts";

/** How {@linkcode serveOnAllCores} serves. */
export interface ServeOnAllCoresOptions {
  /**
   * Where to listen. 0: a free port, the same for all.
   *
   * @default {8000}
   */
  port?: number;
  /**
   * On which address to listen.
   *
   * @default {"0.0.0.0"}
   */
  hostname?: string;
  /** How many processes serve. The default is as many as the machine has cores. */
  workers?: number;
  /**
   * How many milliseconds a process may take to finish what it is answering when it is to end.
   *
   * @default {10_000}
   */
  grace?: number;
  /** What its processes may do, as in {@linkcode ProcessPoolOptions}. */
  permissions?: Deno.PermissionOptions;
  /** More arguments for `deno run`. */
  args?: readonly string[];
  /** Environment variables for its processes, beside those of this program. */
  env?: Readonly<Record<string, string>>;
  /** Stops it when it aborts. */
  signal?: AbortSignal;
  /** Called when all processes serve. */
  onListen?: (address: { hostname: string; port: number }) => void;
}

/** What a server's module gets that exports `serve(context)`. */
export interface ServerContext {
  /** Where to listen, by `Deno.listen` or `Deno.serve` with `reusePort: true`. */
  readonly hostname: string;
  /** On which port; 0: on a free one. */
  readonly port: number;
  /** Aborts when it is to end: `serve` returns when what is being answered has been. */
  readonly signal: AbortSignal;
  /** To be called when it listens, with the port. */
  ready(port: number): void;
}

/**
 * Runs the same server in as many processes as there are cores, which share a port: the system hands each
 * connection to one of them. It blocks until it is stopped.
 *
 * The module exports a default with a `fetch(request)`, as for `deno serve`, or a function `serve(context)` that
 * gets a {@linkcode ServerContext}.
 *
 * A process that dies is started again; its death is reported to the loop's exception handler. SIGHUP replaces one
 * process after the other by a new one with the module as it is then: the new one serves before the old one
 * stops, which answers what it has begun. SIGTERM and SIGINT stop them all in the same manner, and so does killing
 * the task that waits here.
 *
 * Sharing a port is up to the system. Linux spreads connections over the processes, macOS gives all to one. When a
 * process closes, Linux resets connections that wait for it to accept them, unless `net.ipv4.tcp_migrate_req` is 1:
 * then it gives them to the others.
 *
 * @throws {BrokenExecutor} If the first processes do not get to serve.
 * @throws {Deno.errors.NotCapable} Without the permission to start a process.
 */
export async function serveOnAllCores(
  module: string | URL,
  options: ServeOnAllCoresOptions = {},
): Promise<void> {
  const { port = 8000, hostname = "0.0.0.0", grace = 10_000, signal, onListen } = options;
  const { workers = navigator.hardwareConcurrency, permissions, args = [], env } = options;
  checkCount("workers", workers, 1);
  checkDelay("serve with that grace", grace);
  signal?.throwIfAborted();
  const processOptions = { permissions, env, args: ["--unstable-net", ...args] };
  const release = holdLoop();
  const slots: Slot[] = [];
  try {
    // The first one finds the port if there is none yet.
    let bound = port;
    for (let n = 0; n < workers; n++) {
      const slot = new Slot(String(module), hostname, grace, processOptions);
      slots.push(slot);
      bound = await slot.start(bound);
    }
    await supervise(slots, signal, () => onListen?.({ hostname, port: bound }));
  } finally {
    try {
      await Promise.all(slots.map((slot) => slot.stop()));
    } finally {
      release();
    }
  }
}

/** Keeps the servers alive until a signal says to stop. `onListen` is called once signals are heeded. */
async function supervise(
  slots: readonly Slot[],
  signal: AbortSignal | undefined,
  onListen: () => void,
): Promise<void> {
  const loop = EventLoop.current();
  const stopped = new Future<void>();
  const stop = (): void => {
    if (!stopped.done) stopped.setResult(undefined);
  };
  signal?.addEventListener("abort", stop, { once: true });
  using _term = loop.addSignalHandler("SIGTERM", stop);
  using _int = loop.addSignalHandler("SIGINT", stop);
  try {
    await TaskGroup.run(async (group) => {
      let renewing = Promise.resolve(true);
      using _hup = loop.addSignalHandler("SIGHUP", () => {
        const previous = renewing;
        renewing = group.spawn(async () => {
          await previous;
          for (const slot of slots) await slot.renew();
        }).join();
      });
      for (const slot of slots) group.spawn(() => slot.watch());
      onListen();
      await stopped.get();
      group.kill();
    });
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

/** How long the first pause is after a process has died soon; each further one is twice as long. */
const PAUSE = 100;
const LONGEST_PAUSE = 5_000;

/** The place of one process: there is always one in it, or about to be. */
class Slot {
  readonly #module: string;
  readonly #hostname: string;
  readonly #grace: number;
  readonly #options: ProcessOptions;
  readonly #all = new Set<ServerProcess>();
  #port = 0;
  #current: ServerProcess | null = null;

  constructor(module: string, hostname: string, grace: number, options: ProcessOptions) {
    this.#module = module;
    this.#hostname = hostname;
    this.#grace = grace;
    this.#options = options;
  }

  /** Starts its process, and gives the port on which that serves. */
  async start(port: number): Promise<number> {
    const process = new ServerProcess(this.#module, this.#hostname, port, this.#options);
    this.#all.add(process);
    process.gone.addDoneCallback(() => this.#all.delete(process));
    this.#port = await process.ready();
    this.#current = process;
    return this.#port;
  }

  /** Starts its process again whenever it dies. */
  async watch(): Promise<void> {
    const { clock } = Scheduler.current();
    for (let deaths = 0;;) {
      const process = this.#current!;
      const begun = clock.time();
      const how = await process.gone.get();
      if (this.#current !== process) continue;
      deaths = clock.time() - begun > LONGEST_PAUSE ? 0 : deaths;
      report(new BrokenExecutor(`A server's process died: ${how}`));
      while (this.#current === process) {
        if (deaths++ > 0) await sleep(Math.min(PAUSE * 2 ** deaths, LONGEST_PAUSE));
        try {
          await this.start(this.#port);
        } catch (error) {
          if (!(error instanceof BrokenExecutor)) throw error;
          report(error);
        }
      }
    }
  }

  /** Puts a new process in the place of the one that serves, which ends when it has answered. */
  async renew(): Promise<void> {
    const old = this.#current!;
    try {
      await this.start(this.#port);
    } catch (error) {
      if (!(error instanceof BrokenExecutor)) throw error;
      return report(error); // The old one goes on.
    }
    await old.stop(this.#grace);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#all].map((process) => process.stop(this.#grace)));
  }
}

function report(error: Error): void {
  Scheduler.current().report({ error, message: "A server that runs on all cores goes on" });
}
