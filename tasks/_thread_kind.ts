import { outside } from "../loop/outside.ts";
import { Worker } from "node:worker_threads";
import { transferables } from "../loop/transfer.ts";
import { disclose, enclose } from "./_envelope.ts";
import type { Remote, RemoteEvents, WorkerKind } from "./_worker_kind.ts";
import { type FromWorker, SETUP, type ToWorker } from "./_worker_messages.ts";
import { POOLED } from "./_worker_thread.ts";

/** What a thread works from is found beside this file, wherever that is. */
const entry = workerUrl(new URL("./_worker_thread.ts", import.meta.url));

/** A message whose arguments were cloned already. */
interface PackedMessage {
  readonly message: ToWorker | Map<0, ToWorker>;
  readonly moved: Transferable[];
}

/**
 * Threads, by Node's Workers. Those of the web are no choice for a pool on Deno: each keeps the program going for as
 * long as it exists, nobody is told when one ends by itself, a heap that is full ends the whole program, and one that
 * was ended while it computes keeps the program from ending at all.
 */
export class ThreadKind implements WorkerKind {
  readonly name = "thread";
  readonly plural = "threads";
  readonly #memoryLimit: number | undefined;

  constructor(memoryLimit: number | undefined) {
    this.#memoryLimit = memoryLimit;
  }

  pack(message: ToWorker, moved: Transferable[]): PackedMessage {
    if (moved.length === 0 && (message[3] ?? []).every(isPrimitive) && message[0] !== SETUP) {
      return { message, moved };
    }
    // The clone is ours: its buffers are moved when it is sent, so they are copied once.
    const clone = structuredClone(message, { transfer: moved });
    return { message: enclose(clone), moved: transferables(clone[3]) };
  }

  start(events: RemoteEvents): Remote {
    return outside(() => new Thread(events, this.#memoryLimit));
  }
}

class Thread implements Remote {
  readonly stopped: Int32Array = new Int32Array(new SharedArrayBuffer(4));
  readonly #worker: Worker;

  constructor(events: RemoteEvents, memoryLimit: number | undefined) {
    const resourceLimits = memoryLimit === undefined
      ? undefined
      : { maxOldGenerationSizeMb: memoryLimit };
    const worker = this.#worker = new Worker(entry, { workerData: POOLED, resourceLimits });
    let thrown: unknown = undefined;
    worker.on("message", (received) => events.message(disclose<FromWorker>(received)));
    worker.on("error", (error) => {
      thrown = error;
    });
    worker.on("exit", (code: number) => events.gone(describeExit(code, thrown), thrown));
    worker.unref();
  }

  send(packed: unknown): void {
    const { message, moved } = packed as PackedMessage;
    this.#worker.postMessage(message, moved as never[]);
  }

  ref(): void {
    this.#worker.ref();
  }

  unref(): void {
    this.#worker.unref();
  }

  end(): void {
    this.#worker.terminate();
  }

  terminate(): void {
    this.#worker.terminate();
  }
}

function describeExit(code: number, thrown: unknown): string {
  if (thrown === undefined) return `it ended itself, with exit code ${code}`;
  if ((thrown as { code?: unknown }).code === "ERR_WORKER_OUT_OF_MEMORY") {
    return "it ran out of memory";
  }
  return `an error was thrown outside the call: ${thrown}`;
}

/** Node's Workers take files and `data:` only; the latter can import anything. */
function workerUrl(url: URL): URL {
  if (url.protocol === "file:") return url;
  return new URL(
    `data:text/javascript,${encodeURIComponent(`import ${JSON.stringify(url.href)};`)}`,
  );
}

function isPrimitive(value: unknown): boolean {
  const type = typeof value;
  return value === null || (type !== "object" && type !== "function" && type !== "symbol");
}
