import { connect, type Socket } from "node:net";
import type { TcpSocket, Transport } from "./transport.ts";

// Taken now: a program may put a function of its own in its place.
const { listen } = Deno;

/** A socket of Node's: what it brings by itself is held back until it is asked for. */
export class NodeSocket implements Transport {
  readonly startsSlowly = true;
  readonly #socket: Socket;
  #rest: Uint8Array | null = null;
  #waiting: { into: Uint8Array; done: PromiseWithResolvers<number | null> } | null = null;
  #writing: PromiseWithResolvers<number> | null = null;
  #ended = false;
  #failure: { error: Error } | null = null;
  /** Whether it reads though nobody waits, which is to keep no program alive. */
  #ahead = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.pause();
    socket.on("data", (data: Uint8Array) => {
      socket.pause();
      this.#rest = this.#rest === null ? data : joined(this.#rest, data);
      this.#serve();
    });
    socket.on("end", () => this.#end());
    socket.on("close", () => this.#end());
    socket.on("error", (error) => {
      this.#failure ??= { error };
      this.#writing?.reject(error);
      this.#serve();
    });
  }

  read(into: Uint8Array): number | null | Promise<number | null> {
    if (this.#rest !== null) return this.#take(into);
    if (this.#failure !== null) throw this.#failure.error;
    if (this.#ended) return null;
    const done = Promise.withResolvers<number | null>();
    this.#waiting = { into, done };
    if (this.#ahead) this.#socket.ref();
    this.#ahead = false;
    this.#socket.resume();
    return done.promise;
  }

  write(data: Uint8Array): Promise<number> {
    if (this.#failure !== null) throw this.#failure.error;
    const writing = this.#writing = Promise.withResolvers<number>();
    this.#socket.write(data, (error) => {
      if (error) writing.reject(error);
      else writing.resolve(data.length);
    });
    return writing.promise;
  }

  closeWrite(): void {
    this.#socket.end();
  }

  close(): void {
    this.#socket.destroy();
  }

  ref(): void {
    this.#socket.ref();
  }

  unref(): void {
    this.#socket.unref();
  }

  /** Reads though nobody waits for it. */
  protected readAhead(): void {
    if (this.#waiting !== null || this.#ended || this.#failure !== null) return;
    this.#ahead = true;
    this.#socket.unref();
    this.#socket.resume();
  }

  #end(): void {
    this.#ended = true;
    this.#writing?.reject(new Deno.errors.BrokenPipe("The other side is gone"));
    this.#writing?.promise.catch(() => {});
    this.#serve();
  }

  #serve(): void {
    const waiting = this.#waiting;
    if (waiting === null) return;
    this.#waiting = null;
    if (this.#rest !== null) waiting.done.resolve(this.#take(waiting.into));
    else if (this.#failure !== null) waiting.done.reject(this.#failure.error);
    else waiting.done.resolve(null);
  }

  #take(into: Uint8Array): number {
    const rest = this.#rest!;
    const count = Math.min(rest.length, into.length);
    into.set(rest.subarray(0, count));
    this.#rest = count < rest.length ? rest.subarray(count) : null;
    return count;
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/** A TCP connection of Node's. */
class NodeTcpSocket extends NodeSocket implements TcpSocket {
  readonly #tcp: Socket;
  readonly localAddress: Deno.NetAddr;
  readonly remoteAddress: Deno.NetAddr;

  constructor(socket: Socket) {
    super(socket);
    this.#tcp = socket;
    const { localAddress = "", localPort = 0, remoteAddress = "", remotePort = 0 } = socket;
    this.localAddress = { transport: "tcp", hostname: localAddress, port: localPort };
    this.remoteAddress = { transport: "tcp", hostname: remoteAddress, port: remotePort };
  }

  setNoDelay(enable: boolean): void {
    this.#tcp.setNoDelay(enable);
  }

  setKeepAlive(enable: boolean): void {
    this.#tcp.setKeepAlive(enable);
  }

  startTls(): Promise<never> {
    return Promise.reject(
      new Deno.errors.NotSupported("A connection with a source address cannot go on with TLS"),
    );
  }
}

/** Connects from an address of this machine. */
export function connectFrom(
  source: { hostname: string; port?: number },
  { hostname, port, signal }: { hostname: string; port: number; signal: AbortSignal },
): Promise<TcpSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: hostname,
      port,
      localAddress: source.hostname,
      localPort: source.port,
      allowHalfOpen: true,
      noDelay: true,
    });
    const abort = () => socket.destroy(signal.reason);
    signal.addEventListener("abort", abort);
    const fail = (error: Error) => reject(isBind(error) && bindFailure(source) || error);
    socket.once("error", fail);
    socket.once("connect", () => {
      signal.removeEventListener("abort", abort);
      socket.off("error", fail);
      resolve(new NodeTcpSocket(socket));
    });
  });
}

function isBind(error: Error): boolean {
  return (error as { syscall?: string }).syscall === "bind";
}

/**
 * Why an address cannot be connected from; `null` if it can. Of one that is none of this machine's Node's sockets say
 * only that it is invalid.
 */
function bindFailure({ hostname, port = 0 }: { hostname: string; port?: number }): Error | null {
  try {
    listen({ hostname, port }).close();
    return null;
  } catch (error) {
    return error as Error;
  }
}
