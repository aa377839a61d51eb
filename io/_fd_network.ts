import { lookup } from "node:dns/promises";
import { Scheduler } from "../loop/scheduler.ts";
import { openConnection } from "./_fd_connection.ts";
import { openListener } from "./_fd_listener.ts";
import type { ConnectTcpOptions, ListenTcpOptions, Network } from "./network.ts";
import { isAddress } from "./_socket_address.ts";

/** TCP on raw sockets, which the loop watches. */
export const fdNetwork: Pick<Network, "connectTcp" | "listenTcp"> = {
  async connectTcp(options: ConnectTcpOptions) {
    const { hostname, port } = options;
    checkPermission(hostname, port);
    if (options.sourceAddress !== undefined && !isAddress(options.sourceAddress.hostname)) {
      throw new Error(`"${options.sourceAddress.hostname}" is no address to come from`);
    }
    const { descriptors } = Scheduler.current();
    let failure: unknown;
    for (const address of await addressesOf(hostname)) {
      options.signal.throwIfAborted();
      try {
        return await openConnection({ ...options, hostname: address }, descriptors);
      } catch (error) {
        failure ??= error;
      }
    }
    throw failure;
  },

  listenTcp(options: ListenTcpOptions) {
    const { hostname, port } = options;
    checkPermission(hostname, port);
    const address = hostname === "localhost" ? "127.0.0.1" : hostname;
    if (!isAddress(address)) {
      throw new Error(`"${hostname}" is no address, and reactor: "fd" binds to addresses only`);
    }
    return openListener({ ...options, hostname: address }, Scheduler.current().descriptors);
  },
};

/** The system does not ask whether the program may use the network; so it is asked here. */
function checkPermission(hostname: string, port: number): void {
  const host = hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
  const wanted = { name: "net", host: port === 0 ? undefined : host } as const;
  if (Deno.permissions.querySync(wanted).state !== "granted") {
    throw new Deno.errors.NotCapable(
      `Requires net access to "${host}", run again with the --allow-net flag`,
    );
  }
}

async function addressesOf(hostname: string): Promise<string[]> {
  if (isAddress(hostname)) return [hostname];
  try {
    return (await lookup(hostname, { all: true })).map(({ address }) => address);
  } catch (cause) {
    const message = `failed to lookup address information: ${(cause as Error).message}`;
    throw new Error(message, { cause });
  }
}
