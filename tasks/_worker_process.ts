import { Socket } from "node:net";
import { encodeFrame, FrameReader } from "./_frames.ts";
import { WorkerBody } from "./_worker_body.ts";
import type { ToWorker } from "./_worker_messages.ts";

/** The descriptor on which a process talks to the one that started it: all others are the program's. */
export const CHANNEL = 3;

if (import.meta.main) {
  const socket = new Socket({ fd: CHANNEL });
  const body = new WorkerBody((message) => {
    socket.write(encodeFrame(message));
  });
  const frames = new FrameReader();
  socket.on("data", (chunk: Uint8Array) => {
    for (const message of frames.read(chunk)) body.receive(message as ToWorker);
  });
  // Whoever started it has ended, or wants it to end.
  socket.on("end", () => Deno.exit(0));
  socket.on("error", () => Deno.exit(1));
  // Ctrl-C reaches every process of a terminal. Whoever started this one decides what becomes of its calls.
  Deno.addSignalListener("SIGINT", () => {});
}
