import { Socket } from "node:net";
import { carry } from "../loop/carried_error.ts";
import { encodeFrame, FrameReader } from "./_frames.ts";
import type { FromServer, ToServer } from "./_server_process.ts";
import { CHANNEL } from "./_worker_process.ts";

/** What a module of a server exports: one of the two. */
interface ServerModule {
  default?: { fetch?: Deno.ServeHandler };
  serve?: (context: unknown) => unknown;
}

/** The server of this process, and the pipe to the process that started it. */
class Serving {
  readonly #socket = new Socket({ fd: CHANNEL });
  readonly #stopping = new AbortController();

  constructor() {
    const stop = (): void => this.#stopping.abort();
    const frames = new FrameReader();
    this.#socket.on("data", (chunk: Uint8Array) => {
      for (const message of frames.read(chunk)) this.#receive(message as ToServer);
    });
    this.#socket.on("end", stop);
    this.#socket.on("error", stop);
    Deno.addSignalListener("SIGTERM", stop);
    // Whoever started this one decides what Ctrl-C and a hang-up of the terminal mean.
    for (const signal of ["SIGINT", "SIGHUP"] as const) Deno.addSignalListener(signal, () => {});
  }

  #receive(message: ToServer): void {
    if (message[0] === "stop") return this.#stopping.abort();
    const [, url, hostname, port] = message;
    this.#serve(url, hostname, port).then(
      () => Deno.exit(0),
      (error) => this.#send(["failed", carry(error)], () => Deno.exit(1)),
    );
  }

  #send(message: FromServer, sent?: () => void): void {
    this.#socket.write(encodeFrame(message), sent);
  }

  async #serve(url: string, hostname: string, port: number): Promise<void> {
    const module: ServerModule = await import(url);
    const ready = (port: number): void => this.#send(["ready", port]);
    const { signal } = this.#stopping;
    if (typeof module.serve === "function") {
      await module.serve({ hostname, port, signal, ready });
    } else if (typeof module.default?.fetch === "function") {
      const handler: Deno.ServeHandler = (request, info) => module.default!.fetch!(request, info);
      const onListen = (address: Deno.NetAddr): void => ready(address.port);
      const server = Deno.serve({ hostname, port, reusePort: true, onListen }, handler);
      // Requests that are being answered are answered, then it ends.
      signal.addEventListener("abort", () => server.shutdown());
      await server.finished;
    } else {
      throw new TypeError(
        `Cannot serve ${url}: it exports neither serve() nor a default with a fetch()`,
      );
    }
  }
}

if (import.meta.main) new Serving();
