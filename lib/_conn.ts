import { type Direction, type PollSource, type Watch, watching } from "../loop/poll_source.ts";
import { checkpoint } from "../loop/wait.ts";
import { StreamError } from "../io/stream_error.ts";
import { ConnStream } from "./_conn_stream.ts";
import { waitOutside } from "./outside_wait.ts";

/** The platform's connection that each cooperative one stands on. */
const platforms = new WeakMap<object, Deno.Conn>();

/** The platform's connection behind `conn`, or itself. */
export function platformConn(conn: Deno.Conn): Deno.Conn {
  return platforms.get(conn) ?? conn;
}

/** A connection whose calls wait cooperatively, with the interface and the errors of the platform's. */
class CooperativeConn<A extends Deno.Addr = Deno.Addr> implements Deno.Conn<A>, PollSource {
  readonly #conn: Deno.Conn<A>;
  readonly #stream: ConnStream;
  #readable: ReadableStream<Uint8Array<ArrayBuffer>> | null = null;
  #writable: WritableStream<Uint8Array<ArrayBufferLike>> | null = null;

  constructor(conn: Deno.Conn<A>) {
    this.#conn = conn;
    this.#stream = new ConnStream(conn, shown(conn.remoteAddr));
    platforms.set(this, conn);
  }

  get localAddr(): A {
    return this.#conn.localAddr;
  }

  get remoteAddr(): A {
    return this.#conn.remoteAddr;
  }

  async read(into: Uint8Array): Promise<number | null> {
    checkBytes(into);
    if (into.length === 0) return 0;
    const bytes = await this.#guard(() => this.#stream.read(into.length));
    if (bytes === null) return null;
    into.set(bytes);
    return bytes.length;
  }

  async write(data: Uint8Array): Promise<number> {
    checkBytes(data);
    await this.#guard(async () => {
      if (!await this.#stream.write(data)) await this.#stream.flush();
    });
    return data.length;
  }

  async closeWrite(): Promise<void> {
    await this.#guard(() => this.#stream.shutdown());
  }

  close(): void {
    if (this.#stream.closed) throw badResource();
    this.#stream.close();
  }

  ref(): void {
    this.#stream.keepAlive(true);
  }

  unref(): void {
    this.#stream.keepAlive(false);
  }

  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#readable ??= new ReadableStream<Uint8Array<ArrayBuffer>>({
      type: "bytes",
      autoAllocateChunkSize: 65_536,
      pull: async (controller) => {
        const request = (controller as ReadableByteStreamController).byobRequest!;
        const count = await this.read(request.view as Uint8Array);
        if (count === null) {
          controller.close();
          request.respond(0);
          this.#closeQuietly();
        } else {
          request.respond(count);
        }
      },
      cancel: () => this.#closeQuietly(),
    }, { highWaterMark: 0 });
  }

  get writable(): WritableStream<Uint8Array<ArrayBufferLike>> {
    return this.#writable ??= new WritableStream<Uint8Array<ArrayBufferLike>>({
      write: async (chunk) => void await this.write(bytesOf(chunk)),
      close: () => this.#closeQuietly(),
      abort: () => this.#closeQuietly(),
    });
  }

  [Symbol.dispose](): void {
    this.#closeQuietly();
  }

  [watching](direction: Direction, notify: (error?: Error) => void): Watch {
    return this.#stream[watching](direction, notify);
  }

  #closeQuietly(): void {
    this.#stream.close();
  }

  /** Has `call` throw what the platform would. */
  async #guard<T>(call: () => Promise<T>): Promise<T> {
    if (this.#stream.closed) {
      await checkpoint();
      throw badResource();
    }
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      if (error.cause instanceof Error) throw error.cause;
      if (error.code === "ECLOSED") throw interrupted();
      if (error.code === "EPIPE") throw brokenPipe();
      throw error;
    }
  }
}

class CooperativeTcpConn extends CooperativeConn<Deno.NetAddr> implements Deno.TcpConn {
  setNoDelay(enable?: boolean): void {
    (platformConn(this) as Deno.TcpConn).setNoDelay(enable);
  }

  setKeepAlive(enable?: boolean): void {
    (platformConn(this) as Deno.TcpConn).setKeepAlive(enable);
  }
}

class CooperativeUnixConn extends CooperativeConn<Deno.UnixAddr> implements Deno.UnixConn {}

class CooperativeTlsConn extends CooperativeConn<Deno.NetAddr> implements Deno.TlsConn {
  async handshake(): Promise<Deno.TlsHandshakeInfo> {
    await checkpoint();
    const conn = platformConn(this) as Deno.TlsConn;
    return await waitOutside(
      `the TLS handshake with ${shown(conn.remoteAddr)}`,
      conn.handshake(),
      () => {},
    );
  }
}

/** Makes a connection of the platform's cooperative. */
export function cooperativeConn(conn: Deno.Conn): Deno.Conn {
  if ("handshake" in conn) return new CooperativeTlsConn(conn as Deno.TlsConn);
  if ("setNoDelay" in conn) return new CooperativeTcpConn(conn as Deno.TcpConn);
  if (conn.remoteAddr.transport === "unix") return new CooperativeUnixConn(conn as Deno.UnixConn);
  return new CooperativeConn(conn);
}

/** An address as reports have it. */
export function shown(address: Deno.Addr): string {
  if ("hostname" in address) return `${address.hostname}:${address.port}`;
  return "path" in address ? String(address.path) : address.transport;
}

/** Refuses what the platform does, in its words. */
function checkBytes(value: unknown): void {
  if (!(value instanceof Uint8Array)) throw new TypeError("expected typed ArrayBufferView");
}

/** What is written to a stream, which takes more than the connection does. */
function bytesOf(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  if (ArrayBuffer.isView(chunk)) {
    return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
  throw new TypeError("Expected ArrayBuffer or ArrayBufferView for write chunk");
}

function badResource(): Error {
  return new Deno.errors.BadResource("Bad resource ID");
}

function interrupted(): Error {
  return Object.assign(new Deno.errors.Interrupted("operation canceled"), { code: "EINTR" });
}

function brokenPipe(): Error {
  return Object.assign(new Deno.errors.BrokenPipe("Broken pipe (os error 32)"), { code: "EPIPE" });
}
