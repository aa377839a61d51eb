import { isIPv4, isIPv6 } from "node:net";
import { system } from "./_socket_calls.ts";

const IPV4 = 2;

/** Whether it is an address, and no name that would have to be looked up. */
export function isAddress(hostname: string): boolean {
  return isIPv4(hostname) || isIPv6(hostname);
}

/** `struct sockaddr_in` or `sockaddr_in6`. */
export function encodeAddress(hostname: string, port: number): Uint8Array<ArrayBuffer> {
  const four = isIPv4(hostname);
  const bytes = new Uint8Array(four ? 16 : 28);
  const family = four ? IPV4 : system.IPV6;
  if (system.lengthFirst) bytes.set([bytes.length, family]);
  else bytes[0] = family;
  bytes[2] = port >> 8;
  bytes[3] = port & 255;
  if (four) bytes.set(hostname.split(".").map(Number), 4);
  else bytes.set(bytesOfIPv6(hostname), 8);
  return bytes;
}

/** What a socket address says. */
export function decodeAddress(bytes: Uint8Array): Deno.NetAddr {
  const family = system.lengthFirst ? bytes[1] : bytes[0];
  const port = bytes[2] << 8 | bytes[3];
  const hostname = family === IPV4
    ? bytes.subarray(4, 8).join(".")
    : textOfIPv6(bytes.subarray(8, 24));
  return { transport: "tcp", hostname, port };
}

function bytesOfIPv6(hostname: string): number[] {
  // The URL parser brings it into one form, without dots and zones.
  const [head, tail] = urlOf(hostname.replace(/%.*/, "")).split("::");
  const groups = (text: string | undefined): number[] =>
    text ? text.split(":").map((group) => parseInt(group, 16)) : [];
  const first = groups(head);
  const last = groups(tail);
  const zeros = new Array(8 - first.length - last.length).fill(0);
  return [...first, ...zeros, ...last].flatMap((group) => [group >> 8, group & 255]);
}

function textOfIPv6(bytes: Uint8Array): string {
  const groups = Array.from(
    { length: 8 },
    (_, index) => (bytes[2 * index] << 8 | bytes[2 * index + 1]).toString(16),
  );
  return urlOf(groups.join(":"));
}

function urlOf(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1);
}
