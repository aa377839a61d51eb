import { DenoListener, DenoSocket } from "./_deno_socket.ts";
import type { Listener, SocketTransport } from "./transport.ts";

/** How a connection is made. */
export interface ConnectTcpOptions {
  hostname: string;
  port: number;
  /** Gives up when it aborts. */
  signal: AbortSignal;
}

/** How a server is bound. */
export interface ListenTcpOptions {
  hostname: string;
  port: number;
  backlog?: number;
}

/** Where clients and servers get what they stand on: the one place where they reach the platform. */
export interface Network {
  connectTcp(options: ConnectTcpOptions): Promise<SocketTransport<Deno.NetAddr>>;
  listenTcp(options: ListenTcpOptions): Listener<Deno.NetAddr>;
}

const platform: Network = {
  async connectTcp(options) {
    return new DenoSocket(await Deno.connect(options));
  },
  listenTcp({ hostname, port, backlog }) {
    return new DenoListener(Deno.listen({ hostname, port, tcpBacklog: backlog }));
  },
};

/** The network that clients and servers use from now on. */
export let network: Network = platform;

/** Has clients and servers that are made from now on use another network. Returns the one before. */
export function useNetwork(other: Network): Network {
  const before = network;
  network = other;
  return before;
}
