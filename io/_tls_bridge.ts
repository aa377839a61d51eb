import { Scheduler } from "../loop/scheduler.ts";
import { DenoTlsSocket } from "./_deno_socket.ts";
import type { TcpSocket, TlsSocket, TlsUpgrade } from "./transport.ts";

// Taken now: a program may put functions of its own in their place.
const { connect, listen, startTls } = Deno;

const SIZE = 65_536;

/**
 * Goes on with TLS on a transport that is none of the platform's. The platform makes TLS only of connections of its
 * own, so it gets one whose other end is here, and what comes out of that goes to the transport, and back.
 */
export async function startTlsOver(socket: TcpSocket, options: TlsUpgrade): Promise<TlsSocket> {
  const [near, far] = await connectionWithin();
  const bridge = new Bridge(far, socket);
  return new BridgedTlsSocket(await startTls(near, options), socket, bridge);
}

/** A TLS connection whose addresses are those of the transport beneath. */
class BridgedTlsSocket extends DenoTlsSocket {
  readonly #socket: TcpSocket;
  readonly #bridge: Bridge;
  readonly #addresses: readonly [local: Deno.NetAddr, remote: Deno.NetAddr];

  constructor(connection: Deno.TlsConn, socket: TcpSocket, bridge: Bridge) {
    super(connection);
    this.#socket = socket;
    this.#bridge = bridge;
    this.#addresses = [socket.localAddress, socket.remoteAddress];
  }

  override get localAddress(): Deno.NetAddr {
    return this.#addresses[0];
  }

  override get remoteAddress(): Deno.NetAddr {
    return this.#addresses[1];
  }

  override close(): void {
    super.close();
    this.#bridge.release();
  }

  override ref(): void {
    super.ref();
    this.#socket.ref();
  }

  override unref(): void {
    super.unref();
    this.#socket.unref();
  }
}

/** Two connections of the platform's that are connected with each other, and with nobody else. */
async function connectionWithin(): Promise<[Deno.TcpConn, Deno.TcpConn]> {
  using listener = listen({ hostname: "127.0.0.1", port: 0 });
  const near = await connect({ hostname: "127.0.0.1", port: listener.addr.port });
  while (true) {
    const far = await listener.accept();
    // Anybody on this machine may have connected.
    if (far.remoteAddr.port === near.localAddr.port) return [near, far];
    far.close();
  }
}

type End = Pick<TcpSocket, "read" | "write" | "closeWrite" | "close">;

/** Carries what each of two ends gives to the other. */
class Bridge {
  readonly #inner: End;
  readonly #outer: End;
  #ended = { inner: false, outer: false };
  #released = false;
  #holds = 0;
  readonly #scheduler = Scheduler.current();

  /**
   * @param inner Where what is encrypted comes from.
   * @param outer Where it goes.
   */
  constructor(inner: End, outer: End) {
    this.#inner = inner;
    this.#outer = outer;
    void this.#carry("inner", inner, outer);
    void this.#carry("outer", outer, inner);
  }

  /** The inner side is closed. What it has given before is still sent. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    // A loop that has ended holds nothing: so it goes on until all is sent.
    this.#hold(1);
    this.#settle();
  }

  #hold(change: 1 | -1): void {
    this.#holds += change;
    this.#scheduler.census.holds += change;
    this.#scheduler.check();
  }

  async #carry(side: "inner" | "outer", from: End, to: End): Promise<void> {
    const buffer = new Uint8Array(SIZE);
    try {
      for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
        for (let at = 0; at < count;) at += await to.write(buffer.subarray(at, count));
      }
      await to.closeWrite();
    } catch {
      // One end has failed: whoever uses the other is told by its being closed.
      this.#released = this.#ended.inner = true;
    }
    this.#ended[side] = true;
    this.#settle();
  }

  #settle(): void {
    if (!this.#ended.inner || !(this.#released || this.#ended.outer)) return;
    for (const end of [this.#inner, this.#outer]) {
      try {
        end.close();
      } catch {
        // It is closed already.
      }
    }
    if (this.#holds > 0) this.#hold(-1);
  }
}
