import { isIP } from "node:net";
import { shownAddress } from "./_address.ts";
import { coded, failureOf } from "./_failure.ts";
import type { TcpTarget } from "./tcp_client.ts";

/** The platform does not say why the system did not take a datagram; what a caller can do about is told here. */
export function whyNotSent(
  cause: Error,
  address: TcpTarget,
  bound: Deno.NetAddr,
  broadcasts: boolean,
): ReturnType<typeof failureOf> {
  const failure = failureOf(cause, shownAddress(address));
  if (failure.code !== "UNKNOWN") return failure;
  const family = isIP(address.hostname);
  const own = isIP(bound.hostname);
  if (family !== 0 && family !== own) {
    const why = `the endpoint is bound to an IPv${own} address`;
    return { ...coded("EAFNOSUPPORT", failure.address), why, cause };
  }
  if (!broadcasts && address.hostname.endsWith(".255")) {
    const why = "this may be a broadcast address, for which setBroadcast(true) is needed";
    return { ...coded("EACCES", failure.address), why, cause };
  }
  return failure;
}
