import { constants } from "node:os";

const names = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]));

const { errors } = Deno;

/** What the platform says of the errors that sockets have, and the classes it has for them. */
const KNOWN: Readonly<Record<string, readonly [string, new (message: string) => Error]>> = {
  EACCES: ["Permission denied", errors.PermissionDenied],
  EADDRINUSE: ["Address already in use", errors.AddrInUse],
  EADDRNOTAVAIL: ["Cannot assign requested address", errors.AddrNotAvailable],
  ECONNREFUSED: ["Connection refused", errors.ConnectionRefused],
  ECONNRESET: ["Connection reset by peer", errors.ConnectionReset],
  EHOSTUNREACH: ["No route to host", Error],
  EMFILE: ["Too many open files", Error],
  ENETUNREACH: ["Network is unreachable", Error],
  ENOTCONN: ["Transport endpoint is not connected", errors.NotConnected],
  EPIPE: ["Broken pipe", errors.BrokenPipe],
  ETIMEDOUT: ["Connection timed out", errors.TimedOut],
};

/** An error of the system as the platform would throw it. */
export function systemError(number: number): Error {
  const code = names.get(number) ?? "UNKNOWN";
  const [why, Class] = KNOWN[code] ?? ["The system has failed", Error];
  return Object.assign(new Class(`${why} (os error ${number})`), { code });
}
