import type { Descriptors } from "../loop/descriptors.ts";
import { HANGUP, READ, WRITE } from "../loop/poller.ts";
import { FdSocket, setNoDelay, withSocket } from "./_fd_socket.ts";
import type { ConnectTcpOptions } from "./network.ts";
import { encodeAddress } from "./_socket_address.ts";
import { system } from "./_socket_calls.ts";
import { systemError } from "./_system_error.ts";
import { startTlsOver } from "./_tls_bridge.ts";
import type { Arrivals, TcpSocket, TlsSocket, TlsUpgrade } from "./transport.ts";

const SHUT_WR = 1;

/** A connection on a raw socket. */
export class FdConnection extends FdSocket implements TcpSocket {
  /** Who waits for a read, and where its data go. */
  #reading: Arrivals | null = null;
  #into: Uint8Array | null = null;
  /** The write that waits, and what it writes. */
  #writing: PromiseWithResolvers<number> | null = null;
  #data: Uint8Array | null = null;
  #connecting: ((error?: Error) => void) | null = null;
  /** Whether the last read took all there was, so that the next one would find nothing. */
  #drained = true;
  /** Whether the other side has ended it: then no reading finds nothing, and the system says no more. */
  #hungUp = false;
  #unreferenced = false;
  #localAddress: Deno.NetAddr | null = null;
  #remoteAddress: Deno.NetAddr | null = null;

  constructor(fd: number, descriptors: Descriptors) {
    super(fd, descriptors);
  }

  get localAddress(): Deno.NetAddr {
    return this.#localAddress ??= this.addressBy("getsockname");
  }

  get remoteAddress(): Deno.NetAddr {
    return this.#remoteAddress ??= this.addressBy("getpeername");
  }

  read(into: Uint8Array): number | null | Promise<number | null> {
    const { promise, resolve, reject } = Promise.withResolvers<number | null>();
    const count = this.readAtOnce(into, { arrived: resolve, failed: reject });
    return count === undefined ? promise : count;
  }

  readAtOnce(into: Uint8Array, later: Arrivals): number | null | undefined {
    if (!this.#drained) {
      const count = this.#receive(into);
      if (count !== undefined) return count;
    }
    this.#into = into;
    this.#reading = later;
    this.followed.awaited = true;
    return undefined;
  }

  write(data: Uint8Array): number | Promise<number> {
    const count = this.#send(data);
    if (count !== undefined) return count;
    this.#data = data;
    this.followed.awaited = true;
    const { promise } = this.#writing = Promise.withResolvers();
    this.followed.expectRoom();
    return promise;
  }

  writeAtOnce(data: Uint8Array): number {
    return this.#send(data) ?? 0;
  }

  closeWrite(): void {
    if (this.calls.call.shutdown(this.fd, SHUT_WR) !== 0) throw this.failure();
  }

  override close(): void {
    this.#reading =
      this.#into =
      this.#writing =
      this.#data =
        null;
    super.close();
  }

  ref(): void {
    this.#unreferenced = false;
    this.#tellWaiting();
  }

  unref(): void {
    this.#unreferenced = true;
    this.#tellWaiting();
  }

  startTls(options: TlsUpgrade): Promise<TlsSocket> {
    return startTlsOver(this, options);
  }

  setNoDelay(enable: boolean): void {
    setNoDelay(this.calls, this.fd, enable);
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
    signal.addEventListener("abort", abort, { once: true });
    this.#connecting = () => {
      signal.removeEventListener("abort", abort);
      this.#connecting = null;
      const code = this.calls.getOption(this.fd, system.SOL_SOCKET, system.SO_ERROR);
      if (code !== 0) {
        this.close();
        return reject(systemError(code));
      }
      this.#tellWaiting();
      resolve(this);
    };
    this.followed.awaited = true;
    this.followed.expectRoom();
    return promise;
  }

  protected override onReady(ready: number): void {
    if ((ready & HANGUP) !== 0) this.#hungUp = true;
    if ((ready & READ) !== 0) {
      this.#drained = false;
      if (this.#reading !== null) this.#goOnReading(this.#reading, this.#into!);
    }
    if ((ready & WRITE) === 0) return;
    if (this.#connecting !== null) this.#connecting();
    else if (this.#writing !== null) this.#goOnWriting(this.#writing, this.#data!);
  }

  /** Says whether the program has to stay alive. */
  #tellWaiting(): void {
    this.followed.awaited = (this.#reading !== null && !this.#unreferenced) ||
      this.#writing !== null || this.#connecting !== null;
  }

  #goOnReading(reading: Arrivals, into: Uint8Array): void {
    let count: number | null | undefined;
    try {
      count = this.#receive(into);
      if (count === undefined) return;
    } catch (error) {
      this.#reading = this.#into = null;
      this.#tellWaiting();
      return reading.failed(error);
    }
    this.#reading = this.#into = null;
    this.#tellWaiting();
    reading.arrived(count);
  }

  #goOnWriting(writing: PromiseWithResolvers<number>, data: Uint8Array): void {
    let count: number | undefined;
    try {
      count = this.#send(data);
      if (count === undefined) return this.followed.expectRoom();
    } catch (error) {
      this.#writing = this.#data = null;
      this.#tellWaiting();
      return writing.reject(error);
    }
    this.#writing = this.#data = null;
    this.#tellWaiting();
    writing.resolve(count);
  }

  /** Reads what is there: `undefined` if nothing is. */
  #receive(into: Uint8Array): number | null | undefined {
    const count = this.calls.receive(this.fd, into);
    if (count > 0) {
      this.#drained = count < into.length && !this.#hungUp;
      return count;
    }
    return count === 0 ? null : this.#receiveFailed(into);
  }

  #receiveFailed(into: Uint8Array): number | null | undefined {
    const code = this.calls.errno;
    if (code === system.EINTR) return this.#receive(into);
    if (code !== system.EAGAIN) throw this.failure(code);
    this.#drained = true;
    return undefined;
  }

  /** Writes what goes: `undefined` if nothing does. */
  #send(data: Uint8Array): number | undefined {
    const count = this.calls.send(this.fd, data);
    if (count >= 0) return count;
    const code = this.calls.errno;
    if (code === system.EINTR) return this.#send(data);
    if (code !== system.EAGAIN) throw this.failure(code);
    return undefined;
  }
}

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
