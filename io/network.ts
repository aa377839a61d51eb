import { Scheduler } from "../loop/scheduler.ts";
import {
  DenoListener,
  DenoSocket,
  DenoTcpSocket,
  DenoTlsSocket,
  sendAtOnce,
} from "./_deno_socket.ts";
import { fdNetwork } from "./_fd_network.ts";
import { connectFrom } from "./_node_socket.ts";
import { listenUnix } from "./_unix.ts";
import type { Listener, SocketTransport, TcpSocket, TlsSocket } from "./transport.ts";

/** How a TCP connection is made. */
export interface ConnectTcpOptions {
  hostname: string;
  port: number;
  /** The address of this machine that it comes from; by default the system chooses. */
  sourceAddress?: { hostname: string; port?: number };
  /** Gives up when it aborts. */
  signal: AbortSignal;
}

/** How a TLS connection is made. */
export interface ConnectTlsOptions extends ConnectTcpOptions {
  caCerts?: string[];
  cert?: string;
  key?: string;
  alpnProtocols?: string[];
}

/** How a TCP server is bound. */
export interface ListenTcpOptions {
  hostname: string;
  port: number;
  backlog?: number;
}

/** How a TLS server is bound. */
export interface ListenTlsOptions extends ListenTcpOptions {
  cert: string;
  key: string;
  alpnProtocols?: string[];
}

/** Where clients and servers get what they stand on: the one place where they reach the platform. */
export interface Network {
  connectTcp(options: ConnectTcpOptions): Promise<TcpSocket>;
  listenTcp(options: ListenTcpOptions): Listener<Deno.NetAddr, TcpSocket>;
  /** The handshake has not been made when it resolves. */
  connectTls(options: ConnectTlsOptions): Promise<TlsSocket>;
  listenTls(options: ListenTlsOptions): Listener<Deno.NetAddr, TlsSocket>;
  connectUnix(path: string): Promise<SocketTransport<Deno.UnixAddr>>;
  listenUnix(path: string): Listener<Deno.UnixAddr, SocketTransport<Deno.UnixAddr>>;
}

// Taken now: a program may put functions of its own in their place.
const { connect, connectTls, listen, listenTls, startTls } = Deno;

const platform: Network = {
  async connectTcp(options) {
    if (Scheduler.current().reactor === "fd") return await fdNetwork.connectTcp(options);
    // Only Node's sockets can be told where to connect from.
    if (options.sourceAddress !== undefined) {
      return await connectFrom(options.sourceAddress, options);
    }
    return new DenoTcpSocket(await connect({ ...options, signal: kept(options.signal) }));
  },
  listenTcp(options) {
    if (Scheduler.current().reactor === "fd") return fdNetwork.listenTcp(options);
    const { hostname, port, backlog } = options;
    return new DenoListener(
      listen({ hostname, port, tcpBacklog: backlog }),
      (connection: Deno.TcpConn) => new DenoTcpSocket(connection),
    );
  },
  async connectTls({ signal, ...options }) {
    // With a certificate of one's own there is only this way, which takes no signal.
    if (options.cert !== undefined || options.key !== undefined) {
      return new DenoTlsSocket(await connectTls(options as Deno.ConnectTlsOptions));
    }
    const { hostname, port, caCerts, alpnProtocols } = options;
    const connection = await connect({ hostname, port, signal: kept(signal) });
    sendAtOnce(connection);
    return new DenoTlsSocket(await startTls(connection, { hostname, caCerts, alpnProtocols }));
  },
  listenTls({ backlog, ...options }) {
    return new DenoListener(
      listenTls(
        { ...options, tcpBacklog: backlog } as Deno.ListenTlsOptions & Deno.TlsCertifiedKeyPem,
      ),
      (connection: Deno.TlsConn) => new DenoTlsSocket(connection),
    );
  },
  async connectUnix(path) {
    return new DenoSocket(await connect({ transport: "unix", path }));
  },
  listenUnix,
};

/**
 * A signal that aborts with `signal`, for the platform's `connect()`. That one asks its signal at its end, too, and
 * should it have aborted in the moment in which the connection was made, nobody would ever get that and close it.
 */
function kept(signal: AbortSignal): AbortSignal {
  const own = AbortSignal.any([signal]);
  own.throwIfAborted();
  own.throwIfAborted = () => {};
  return own;
}

/** The network that clients and servers use from now on. */
export let network: Network = platform;

/** Has clients and servers that are made from now on use another network. Returns the one before. */
export function useNetwork(other: Network): Network {
  const before = network;
  network = other;
  return before;
}
