import type { Listener, SocketTransport, TlsSocket, TlsUpgrade } from "./transport.ts";

// Taken now: a program may put functions of its own in their place.
const { startTls } = Deno;

/** A connection of Deno's, of whichever kind. */
export class DenoSocket<A extends Deno.Addr, C extends Deno.Conn<A> = Deno.Conn<A>>
  implements SocketTransport<A> {
  readonly startsSlowly = true;
  protected readonly connection: C;

  constructor(connection: C) {
    this.connection = connection;
  }

  get localAddress(): A {
    return this.connection.localAddr;
  }

  get remoteAddress(): A {
    return this.connection.remoteAddr;
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.connection.read(into);
  }

  write(data: Uint8Array): Promise<number> {
    return this.connection.write(data);
  }

  closeWrite(): Promise<void> {
    return this.connection.closeWrite();
  }

  close(): void {
    try {
      this.connection.close();
    } catch (error) {
      // It was closed by the platform, as part of something that failed.
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  ref(): void {
    this.connection.ref();
  }

  unref(): void {
    this.connection.unref();
  }

  setNoDelay(enable: boolean): void {
    (this.connection as Partial<Deno.TcpConn>).setNoDelay?.(enable);
  }

  setKeepAlive(enable: boolean): void {
    (this.connection as Partial<Deno.TcpConn>).setKeepAlive?.(enable);
  }
}

/** A TCP connection of Deno's. */
export class DenoTcpSocket extends DenoSocket<Deno.NetAddr, Deno.TcpConn> {
  constructor(connection: Deno.TcpConn) {
    super(connection);
    sendAtOnce(connection);
  }

  async startTls(options: TlsUpgrade): Promise<TlsSocket> {
    return new DenoTlsSocket(await startTls(this.connection, options));
  }
}

/**
 * Has small writes sent at once. Otherwise the second of two would wait until the other side has confirmed the first,
 * which takes 40 ms where it has nothing to say before it has seen both.
 */
export function sendAtOnce(connection: Deno.TcpConn): void {
  try {
    connection.setNoDelay(true);
  } catch {
    // Some systems refuse it on a connection that the other side has reset; a read or a write tells of that.
  }
}

/** A TLS connection of Deno's. */
export class DenoTlsSocket extends DenoSocket<Deno.NetAddr, Deno.TlsConn> implements TlsSocket {
  async handshake(): Promise<string | null> {
    return (await this.connection.handshake()).alpnProtocol;
  }
}

/** A listener of Deno's. */
export class DenoListener<A extends Deno.Addr, C extends Deno.Conn<A>, S extends SocketTransport<A>>
  implements Listener<A, S> {
  readonly #listener: Deno.Listener<C, A>;
  readonly #wrap: (connection: C) => S;

  constructor(listener: Deno.Listener<C, A>, wrap: (connection: C) => S) {
    this.#listener = listener;
    this.#wrap = wrap;
  }

  get address(): A {
    return this.#listener.addr;
  }

  async accept(): Promise<S> {
    return this.#wrap(await this.#listener.accept());
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
