import type { Listener, SocketTransport } from "./transport.ts";

/** A connection of Deno's. */
export class DenoSocket implements SocketTransport<Deno.NetAddr> {
  readonly #connection: Deno.TcpConn;

  constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  get localAddress(): Deno.NetAddr {
    return this.#connection.localAddr;
  }

  get remoteAddress(): Deno.NetAddr {
    return this.#connection.remoteAddr;
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.#connection.read(into);
  }

  write(data: Uint8Array): Promise<number> {
    return this.#connection.write(data);
  }

  closeWrite(): Promise<void> {
    return this.#connection.closeWrite();
  }

  close(): void {
    this.#connection.close();
  }

  ref(): void {
    this.#connection.ref();
  }

  unref(): void {
    this.#connection.unref();
  }

  setNoDelay(enable: boolean): void {
    this.#connection.setNoDelay(enable);
  }

  setKeepAlive(enable: boolean): void {
    this.#connection.setKeepAlive(enable);
  }
}

/** A listener of Deno's. */
export class DenoListener implements Listener<Deno.NetAddr> {
  readonly #listener: Deno.TcpListener;

  constructor(listener: Deno.TcpListener) {
    this.#listener = listener;
  }

  get address(): Deno.NetAddr {
    return this.#listener.addr;
  }

  async accept(): Promise<SocketTransport<Deno.NetAddr>> {
    return new DenoSocket(await this.#listener.accept());
  }

  close(): void {
    this.#listener.close();
  }

  ref(): void {
    this.#listener.ref();
  }

  unref(): void {
    this.#listener.unref();
  }
}
