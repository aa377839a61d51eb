import type { Descriptors } from "../loop/descriptors.ts";
import type { Followed } from "../loop/watched.ts";
import { decodeAddress } from "./_socket_address.ts";
import { SocketCalls, system } from "./_socket_calls.ts";
import { systemError } from "./_system_error.ts";

const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const STREAM = 1;
const F_SETFD = 2;
const F_SETFL = 4;
const FD_CLOEXEC = 1;

let loaded: SocketCalls | null = null;
let users = 0;

/** A raw socket that does not block, followed by a loop. */
export abstract class FdSocket {
  protected readonly calls: SocketCalls;
  protected readonly followed: Followed;
  readonly #descriptors: Descriptors;
  #closed = false;

  constructor(protected readonly fd: number, descriptors: Descriptors) {
    this.calls = loaded!;
    this.#descriptors = descriptors;
    this.followed = descriptors.follow(fd, (ready) => this.onReady(ready));
    users++;
  }

  /** There is more to read, or room to write. */
  protected abstract onReady(ready: number): void;

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
    this.followed.close();
    this.calls.call.close(this.fd);
    users--;
    unloadWhenUnused(this.#descriptors);
  }
}

/** Makes a socket for addresses such as `hostname`, and closes it again if `use` fails. */
export function withSocket<T>(
  hostname: string,
  descriptors: Descriptors,
  use: (calls: SocketCalls, fd: number) => T,
): T {
  const calls = load();
  const family = hostname.includes(":") ? system.IPV6 : 2;
  const fd = calls.call.socket(family, STREAM | system.SOCKET_FLAGS, 0);
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

/** A socket of ours does not block, is not inherited by child processes, and sends at once. */
export function prepare(calls: SocketCalls, fd: number): void {
  if (system.SOCKET_FLAGS === 0) {
    calls.control(fd, F_SETFL, system.NONBLOCK);
    calls.control(fd, F_SETFD, FD_CLOEXEC);
    calls.setOption(fd, system.SOL_SOCKET, system.SO_NOSIGPIPE, 1);
  }
  setNoDelay(calls, fd, true);
}

/** Whether small writes are sent at once. */
export function setNoDelay(calls: SocketCalls, fd: number, enable: boolean): void {
  calls.setOption(fd, IPPROTO_TCP, TCP_NODELAY, enable ? 1 : 0);
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
