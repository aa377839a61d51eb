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

if (import.meta.main) {
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  const socket = new Socket({ fd: CHANNEL });
  const send = (message: FromServer): void => {
    socket.write(encodeFrame(message));
  };
  const frames = new FrameReader();
  socket.on("data", (chunk: Uint8Array) => {
    for (const message of frames.read(chunk)) receive(message as ToServer);
  });
  socket.on("end", stop);
  socket.on("error", stop);
  Deno.addSignalListener("SIGTERM", stop);
  // Whoever started this one decides what Ctrl-C and a hang-up of the terminal mean.
  for (const signal of ["SIGINT", "SIGHUP"] as const) Deno.addSignalListener(signal, () => {});

  function receive(message: ToServer): void {
    if (message[0] === "stop") stop();
    else serve(message[1], message[2], message[3]).then(() => Deno.exit(0), fail);
  }

  function fail(error: unknown): void {
    socket.write(encodeFrame(["failed", carry(error)] satisfies FromServer), () => Deno.exit(1));
  }

  async function serve(url: string, hostname: string, port: number): Promise<void> {
    const module: ServerModule = await import(url);
    const ready = (port: number): void => send(["ready", port]);
    const { signal } = stopping;
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
