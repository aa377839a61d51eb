import type { Descriptors } from "../loop/descriptors.ts";
import { FdConnection } from "./_fd_connection.ts";
import { FdSocket, prepare, withSocket } from "./_fd_socket.ts";
import { encodeAddress } from "./_socket_address.ts";
import { system } from "./_socket_calls.ts";
import { systemError } from "./_system_error.ts";
import type { Listener, TcpSocket } from "./transport.ts";

/** A listener on a raw socket. */
export class FdListener extends FdSocket implements Listener<Deno.NetAddr, TcpSocket> {
  readonly #descriptors: Descriptors;
  #address: Deno.NetAddr | null = null;
  #accepting: PromiseWithResolvers<TcpSocket> | null = null;

  constructor(fd: number, descriptors: Descriptors) {
    super(fd, descriptors);
    this.#descriptors = descriptors;
  }

  get address(): Deno.NetAddr {
    return this.#address ??= this.addressBy("getsockname");
  }

  accept(): Promise<TcpSocket> {
    const accepting = this.#accepting = Promise.withResolvers();
    this.followed.awaited = true;
    this.onReady();
    return accepting.promise;
  }

  override close(): void {
    this.#accepting = null;
    super.close();
  }

  ref(): void {
    this.followed.awaited = this.#accepting !== null;
  }

  unref(): void {
    this.followed.awaited = false;
  }

  protected override onReady(): void {
    const accepting = this.#accepting;
    if (accepting === null) return;
    const fd = this.calls.call.accept(this.fd, null, null, system.SOCKET_FLAGS);
    if (fd < 0) {
      const code = this.calls.errno;
      if (code === system.EAGAIN) return;
      // A client that has gone already is none.
      if (code === system.EINTR || code === system.ECONNABORTED) return this.onReady();
    }
    this.#accepting = null;
    this.followed.awaited = false;
    if (fd < 0) return accepting.reject(this.failure());
    try {
      prepare(this.calls, fd);
      accepting.resolve(new FdConnection(fd, this.#descriptors));
    } catch (error) {
      this.calls.call.close(fd);
      accepting.reject(error);
    }
  }
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
