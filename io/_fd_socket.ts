import type { Descriptors, DescriptorWatch } from "../loop/descriptors.ts";
import type { ConnectTcpOptions } from "./network.ts";
import { decodeAddress, encodeAddress } from "./_socket_address.ts";
import { SocketCalls, system } from "./_socket_calls.ts";
import { systemError } from "./_system_error.ts";
import { startTlsOver } from "./_tls_bridge.ts";
import type { Listener, TcpSocket, TlsSocket, TlsUpgrade } from "./transport.ts";

const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const SHUT_WR = 1;
const STREAM = 1;

let loaded: SocketCalls | null = null;
let users = 0;

/** A raw socket that does not block, watched by a loop. */
abstract class FdSocket {
  protected readonly calls: SocketCalls;
  protected readonly readable: DescriptorWatch;
  readonly #descriptors: Descriptors;
  #closed = false;

  constructor(protected readonly fd: number, descriptors: Descriptors) {
    this.calls = loaded!;
    this.#descriptors = descriptors;
    this.readable = descriptors.watch(fd, "read", (error) => this.onReadable(error));
    users++;
  }

  protected abstract onReadable(error?: Error): void;

  protected get closed(): boolean {
    return this.#closed;
  }

  protected addressBy(call: "getsockname" | "getpeername"): Deno.NetAddr {
    const bytes = new Uint8Array(28);
    if (this.calls.call[call](this.fd, bytes, new Uint32Array([28])) !== 0) throw this.failure();
    return decodeAddress(bytes);
  }

  /** The error of the last call. */
  protected failure(code = this.calls.errno): Error {
    return systemError(code);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.readable.close();
    this.calls.call.close(this.fd);
    users--;
    unloadWhenUnused(this.#descriptors);
  }
}

/** A connection on a raw socket. */
export class FdConnection extends FdSocket implements TcpSocket {
  readonly #descriptors: Descriptors;
  #writable: DescriptorWatch | null = null;
  #reading: { into: Uint8Array; resolve: (count: number | null) => void; reject: Reject } | null =
    null;
  #writing: { data: Uint8Array; resolve: (count: number) => void; reject: Reject } | null = null;
  /** Whether the last read took all there was, so that the next one would find nothing. */
  #drained = true;
  #localAddress: Deno.NetAddr | null = null;
  #remoteAddress: Deno.NetAddr | null = null;

  constructor(fd: number, descriptors: Descriptors) {
    super(fd, descriptors);
    this.#descriptors = descriptors;
  }

  get localAddress(): Deno.NetAddr {
    return this.#localAddress ??= this.addressBy("getsockname");
  }

  get remoteAddress(): Deno.NetAddr {
    return this.#remoteAddress ??= this.addressBy("getpeername");
  }

  read(into: Uint8Array): number | null | Promise<number | null> {
    if (!this.#drained) {
      const count = this.#receive(into);
      if (count !== undefined) return count;
    }
    const promise = new Promise<number | null>((resolve, reject) => {
      this.#reading = { into, resolve, reject };
    });
    this.readable.arm();
    return promise;
  }

  write(data: Uint8Array): number | Promise<number> {
    const count = this.#send(data);
    if (count !== undefined) return count;
    const promise = new Promise<number>((resolve, reject) => {
      this.#writing = { data, resolve, reject };
    });
    this.#writable ??= this.#descriptors.watch(
      this.fd,
      "write",
      (error) => this.#onWritable(error),
    );
    this.#writable.arm();
    return promise;
  }

  closeWrite(): void {
    if (this.calls.call.shutdown(this.fd, SHUT_WR) !== 0) throw this.failure();
  }

  override close(): void {
    this.#writable?.close();
    this.#reading = this.#writing = null;
    super.close();
  }

  ref(): void {
    if (this.#reading !== null) this.readable.arm();
  }

  unref(): void {
    this.readable.disarm();
  }

  startTls(options: TlsUpgrade): Promise<TlsSocket> {
    return startTlsOver(this, options);
  }

  setNoDelay(enable: boolean): void {
    this.calls.setOption(this.fd, IPPROTO_TCP, TCP_NODELAY, enable ? 1 : 0);
  }

  setKeepAlive(enable: boolean): void {
    this.calls.setOption(this.fd, system.SOL_SOCKET, system.SO_KEEPALIVE, enable ? 1 : 0);
  }

  /** Waits until it is connected. */
  connected(signal: AbortSignal): Promise<this> {
    const { promise, resolve, reject } = Promise.withResolvers<this>();
    const abort = (): void => {
      this.close();
      reject(signal.reason);
    };
    const done = (error?: Error): void => {
      signal.removeEventListener("abort", abort);
      const code = error === undefined
        ? this.calls.getOption(this.fd, system.SOL_SOCKET, system.SO_ERROR)
        : 0;
      if (error === undefined && code === 0) return resolve(this);
      this.close();
      reject(error ?? systemError(code));
    };
    signal.addEventListener("abort", abort, { once: true });
    this.#writable = this.#descriptors.watch(this.fd, "write", (error) => {
      if (this.#writing !== null) this.#onWritable(error);
      else done(error);
    });
    this.#writable.arm();
    return promise;
  }

  protected override onReadable(error?: Error): void {
    this.#drained = false;
    const reading = this.#reading;
    if (reading === null) return;
    try {
      if (error !== undefined) throw error;
      const count = this.#receive(reading.into);
      if (count === undefined) return this.readable.arm();
      this.#reading = null;
      reading.resolve(count);
    } catch (error) {
      this.#reading = null;
      reading.reject(error);
    }
  }

  #onWritable(error?: Error): void {
    const writing = this.#writing;
    if (writing === null) return;
    try {
      if (error !== undefined) throw error;
      const count = this.#send(writing.data);
      if (count === undefined) return this.#writable!.arm();
      this.#writing = null;
      writing.resolve(count);
    } catch (error) {
      this.#writing = null;
      writing.reject(error);
    }
  }

  /** Reads what is there: `undefined` if nothing is. */
  #receive(into: Uint8Array): number | null | undefined {
    while (true) {
      const count = Number(
        this.calls.call.recv(this.fd, into as Uint8Array<ArrayBuffer>, into.length as never, 0),
      );
      this.#drained = count < into.length && count !== 0;
      if (count > 0) return count;
      if (count === 0) return null;
      const code = this.calls.errno;
      if (code === system.EAGAIN) return undefined;
      if (code !== system.EINTR) throw this.failure(code);
    }
  }

  /** Writes what goes: `undefined` if nothing does. */
  #send(data: Uint8Array): number | undefined {
    while (true) {
      const count = Number(
        this.calls.call.send(
          this.fd,
          data as Uint8Array<ArrayBuffer>,
          data.length as never,
          system.NOSIGNAL,
        ),
      );
      if (count >= 0) return count;
      const code = this.calls.errno;
      if (code === system.EAGAIN) return undefined;
      if (code !== system.EINTR) throw this.failure(code);
    }
  }
}

/** A listener on a raw socket. */
export class FdListener extends FdSocket implements Listener<Deno.NetAddr, TcpSocket> {
  readonly #descriptors: Descriptors;
  #address: Deno.NetAddr | null = null;
  #accepting: { resolve: (socket: FdConnection) => void; reject: Reject } | null = null;

  constructor(fd: number, descriptors: Descriptors) {
    super(fd, descriptors);
    this.#descriptors = descriptors;
  }

  get address(): Deno.NetAddr {
    return this.#address ??= this.addressBy("getsockname");
  }

  accept(): Promise<TcpSocket> {
    return new Promise((resolve, reject) => {
      this.#accepting = { resolve, reject };
      this.onReadable();
    });
  }

  override close(): void {
    this.#accepting = null;
    super.close();
  }

  ref(): void {
    if (this.#accepting !== null) this.readable.arm();
  }

  unref(): void {
    this.readable.disarm();
  }

  protected override onReadable(error?: Error): void {
    const accepting = this.#accepting;
    if (accepting === null || this.closed) return;
    try {
      if (error !== undefined) throw error;
      const fd = this.calls.call.accept(this.fd, null, null);
      if (fd < 0) {
        const code = this.calls.errno;
        // A client that has gone already is none.
        const again = [system.EAGAIN, system.EINTR, system.ECONNABORTED].includes(code);
        if (again) return this.readable.arm();
        throw this.failure(code);
      }
      prepare(this.calls, fd);
      this.#accepting = null;
      accepting.resolve(new FdConnection(fd, this.#descriptors));
    } catch (error) {
      this.#accepting = null;
      accepting.reject(error);
    }
  }
}

type Reject = (error: unknown) => void;

/** Begins to connect. */
export function openConnection(
  { hostname, port, sourceAddress, signal }: ConnectTcpOptions,
  descriptors: Descriptors,
): Promise<FdConnection> {
  return withSocket(hostname, descriptors, (calls, fd) => {
    if (sourceAddress !== undefined) {
      const source = encodeAddress(sourceAddress.hostname, sourceAddress.port ?? 0);
      if (calls.call.bind(fd, source, source.length) !== 0) throw systemError(calls.errno);
    }
    const address = encodeAddress(hostname, port);
    const failed = calls.call.connect(fd, address, address.length) !== 0;
    if (failed && calls.errno !== system.EINPROGRESS) throw systemError(calls.errno);
    return new FdConnection(fd, descriptors).connected(signal);
  });
}

/** Listens. */
export function openListener(
  { hostname, port, backlog }: { hostname: string; port: number; backlog?: number },
  descriptors: Descriptors,
): FdListener {
  return withSocket(hostname, descriptors, (calls, fd) => {
    calls.setOption(fd, system.SOL_SOCKET, system.SO_REUSEADDR, 1);
    const address = encodeAddress(hostname, port);
    if (
      calls.call.bind(fd, address, address.length) !== 0 ||
      calls.call.listen(fd, backlog ?? 511) !== 0
    ) throw systemError(calls.errno);
    return new FdListener(fd, descriptors);
  });
}

function withSocket<T>(
  hostname: string,
  descriptors: Descriptors,
  use: (calls: SocketCalls, fd: number) => T,
): T {
  const calls = load();
  const family = hostname.includes(":") ? system.IPV6 : 2;
  const fd = calls.call.socket(family, STREAM, 0);
  try {
    if (fd < 0) throw systemError(calls.errno);
    prepare(calls, fd);
    return use(calls, fd);
  } catch (error) {
    if (fd >= 0) calls.call.close(fd);
    unloadWhenUnused(descriptors);
    throw error;
  }
}

/** A descriptor of ours does not block, and is not inherited by child processes. */
function prepare(calls: SocketCalls, fd: number): void {
  calls.call.fcntl(fd, 4, system.NONBLOCK);
  calls.call.fcntl(fd, 2, 1);
  calls.setOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

function load(): SocketCalls {
  try {
    return loaded ??= new SocketCalls();
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotCapable)) throw cause;
    throw new Deno.errors.NotCapable('reactor: "fd" needs --allow-ffi', { cause });
  }
}

function unloadWhenUnused(descriptors: Descriptors): void {
  if (users > 0) return;
  descriptors.onRetired(() => {
    if (users > 0) return;
    loaded?.unload();
    loaded = null;
  });
}
