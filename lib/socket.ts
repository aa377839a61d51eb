import { checkpoint } from "../loop/wait.ts";
import { cooperativeConn, platformConn } from "./_conn.ts";
import { cooperativeDatagramConn, type PlatformDatagramConn } from "./_datagram.ts";
import { CooperativeListener } from "./_listener.ts";
import { waitOutside } from "./outside_wait.ts";

// Taken now: patching puts the functions below in their place.
const { connect, connectTls, listen, listenTls, startTls } = Deno;
const { listenDatagram } = Deno as unknown as {
  listenDatagram?: (options: unknown) => PlatformDatagramConn;
};

/** The platform's functions that make connections and listen for them, cooperative. */
export interface SocketFunctions {
  /** Connects to a server. If the wait ends early, the attempt is given up. */
  readonly connect: typeof Deno.connect;
  /** Connects to a server by TLS. If the wait ends early, what comes of it is closed. */
  readonly connectTls: typeof Deno.connectTls;
  /** Makes a connection one by TLS. */
  readonly startTls: typeof Deno.startTls;
  /** Listens for clients; what is accepted is cooperative, too. */
  readonly listen: typeof Deno.listen;
  /** Listens for clients by TLS. */
  readonly listenTls: typeof Deno.listenTls;
  /** Makes a datagram socket; there only where the platform has it (`--unstable-net`). */
  // deno-lint-ignore no-explicit-any
  readonly listenDatagram?: (options: any) => any;
}

/**
 * The platform's sockets as tasks need them: each call of them is a blocking call, so it can be killed and timed
 * out, and a read or accept that is given up loses nothing. They have the whole interface of the platform's and
 * throw its errors. Several tasks may read, write and accept at the same time, and are served in order.
 *
 * `write` gives the whole length: it waits until the system has taken all of it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { lib, spawn } from "@evergreen/evergreen";
 *
 * const listener = lib.socket.listen({ hostname: "127.0.0.1", port: 0 });
 * const echo = spawn(async () => {
 *   using conn = await listener.accept();
 *   await conn.readable.pipeTo(conn.writable);
 * });
 *
 * const conn = await lib.socket.connect({ port: listener.addr.port });
 * await conn.write(new TextEncoder().encode("hello"));
 * const buffer = new Uint8Array(10);
 * assertEquals(await conn.read(buffer), 5);
 * conn.close();
 * await echo.join();
 * listener.close();
 * ```
 */
export const socket: SocketFunctions = {
  connect: ((options: Deno.ConnectOptions & { signal?: AbortSignal }) => {
    const abort = new AbortController();
    const signal = options?.signal === undefined
      ? abort.signal
      : AbortSignal.any([abort.signal, options.signal]);
    return opened(
      `Deno.connect() to ${shownTarget(options)}`,
      // What is no object is refused by the platform.
      () => connect(options instanceof Object ? { ...options, signal } : options),
      () => abort.abort(),
    );
  }) as typeof Deno.connect,

  connectTls: (options) =>
    opened(
      `Deno.connectTls() to ${shownTarget(options)}`,
      () => connectTls(options),
    ) as Promise<Deno.TlsConn>,

  startTls: (conn, options) =>
    opened(
      "Deno.startTls()",
      () => startTls(platformConn(conn) as Deno.TcpConn, options),
    ) as Promise<Deno.TlsConn>,

  listen:
    ((options: Deno.TcpListenOptions) =>
      new CooperativeListener(listen(options))) as unknown as typeof Deno.listen,

  listenTls: ((options: Deno.ListenTlsOptions & Deno.TlsCertifiedKeyPem) =>
    new CooperativeListener(
      listenTls(options) as unknown as Deno.Listener,
    )) as unknown as typeof Deno.listenTls,

  ...(listenDatagram === undefined ? {} : {
    listenDatagram: (options: unknown) => cooperativeDatagramConn(listenDatagram(options)),
  }),
};

/** Waits for a connection. One that comes when nobody waits any more is closed. */
async function opened(
  what: string,
  open: () => Promise<Deno.Conn>,
  giveUp: () => void = () => {},
): Promise<Deno.Conn> {
  await checkpoint();
  let wanted = true;
  const opening = open().then((conn) => {
    if (!wanted) conn.close();
    return conn;
  });
  return cooperativeConn(
    await waitOutside(what, opening, () => {
      wanted = false;
      giveUp();
    }),
  );
}

function shownTarget(options: unknown): string {
  const { hostname = "127.0.0.1", port, path } = (options ?? {}) as Record<string, unknown>;
  return path === undefined ? `${hostname}:${port}` : String(path);
}
