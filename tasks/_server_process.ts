import { type Carried, revive } from "../loop/carried_error.ts";
import { TimeoutError } from "../loop/errors.ts";
import { encodeFrame } from "./_frames.ts";
import { ProcessKind, type ProcessOptions } from "./_process_kind.ts";
import type { Remote } from "./_worker_kind.ts";
import { BrokenExecutor } from "./broken_executor.ts";
import { Future } from "./future.ts";
import { shield } from "./shield.ts";

/** What a server's process is told. */
export type ToServer = ["serve", module: string, hostname: string, port: number] | ["stop"];

/** What it tells. */
export type FromServer = ["ready", port: number] | ["failed", error: Carried];

const entry = new URL("./_worker_server.ts", import.meta.url);

/** One process that runs a server. */
export class ServerProcess {
  readonly #remote: Remote;
  readonly #ready = new Future<number>();
  /** Gives how it ended. */
  readonly gone: Future<string> = new Future<string>();

  constructor(module: string, hostname: string, port: number, options: ProcessOptions) {
    let failure: unknown = undefined;
    const kind = new ProcessKind(options, entry);
    this.#remote = kind.start({
      message: (message: unknown) => {
        const [what, value] = message as FromServer;
        if (what === "failed") failure = revive(value as Carried);
        else if (!this.#ready.done) this.#ready.setResult(value as number);
      },
      gone: (how) => {
        const why = failure === undefined ? how : String(failure);
        if (!this.#ready.done) {
          const message = `A server's process died before it was ready: ${why}`;
          this.#ready.setException(new BrokenExecutor(message, { cause: failure }));
        }
        this.gone.setResult(why);
      },
    });
    this.#remote.ref();
    this.#send(["serve", module, hostname, port]);
  }

  /** Waits until it serves, and gives the port on which. */
  async ready(): Promise<number> {
    try {
      return await this.#ready.get();
    } catch (error) {
      this.#remote.terminate();
      throw error;
    }
  }

  /** Has it answer what it is answering, and end; ends it when `grace` milliseconds have passed. */
  async stop(grace: number): Promise<void> {
    await shield(async () => {
      if (this.gone.done) return;
      this.#send(["stop"]);
      try {
        await this.gone.get({ timeout: grace });
      } catch (error) {
        if (!(error instanceof TimeoutError)) throw error;
        this.#remote.terminate();
        await this.gone.get();
      }
    });
  }

  #send(message: ToServer): void {
    this.#remote.send(encodeFrame(message));
  }
}
