import { constants } from "node:os";
import type { StreamErrorOptions } from "./stream_error.ts";

const numbers = constants.errno as Record<string, number | undefined>;
const names = new Map<number, string>();
for (const [name, number] of Object.entries(numbers)) {
  if (number !== undefined && !names.has(number)) names.set(number, name);
}

/** The platform's classes of errors that carry no code. */
const CODES: Record<string, string> = {
  AddrInUse: "EADDRINUSE",
  AddrNotAvailable: "EADDRNOTAVAIL",
  AlreadyExists: "EEXIST",
  BadResource: "EBADF",
  BrokenPipe: "EPIPE",
  Busy: "EBUSY",
  ConnectionAborted: "ECONNABORTED",
  ConnectionRefused: "ECONNREFUSED",
  ConnectionReset: "ECONNRESET",
  Interrupted: "EINTR",
  InvalidData: "EPROTO",
  IsADirectory: "EISDIR",
  NotADirectory: "ENOTDIR",
  NotCapable: "EACCES",
  NotConnected: "ENOTCONN",
  NotFound: "ENOENT",
  NotSupported: "ENOTSUP",
  PermissionDenied: "EACCES",
  RangeError: "EINVAL",
  TimedOut: "ETIMEDOUT",
  TypeError: "EINVAL",
  UnexpectedEof: "ECONNRESET",
  URIError: "EINVAL",
  WouldBlock: "EAGAIN",
};

/** What a handshake fails with, by what the platform says of it; the names that Node has for them, as far as it has. */
const TLS: [RegExp, string][] = [
  [/support any known protocol|NoApplicationProtocol/, "ERR_TLS_NO_APPLICATION_PROTOCOL"],
  [/peer is incompatible|alert: ProtocolVersion/, "ERR_TLS_PROTOCOL_VERSION"],
  [/received fatal alert/, "ERR_TLS_ALERT"],
  [/certificate not valid for name/, "ERR_TLS_CERT_ALTNAME_INVALID"],
  [/UnknownIssuer/, "UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
  [/certificate expired|Expired/, "CERT_HAS_EXPIRED"],
  [/NotValidYet|not valid yet/, "CERT_NOT_YET_VALID"],
  [/invalid peer certificate/, "ERR_TLS_CERT_INVALID"],
  [/InvalidContentType/, "ERR_TLS_NOT_TLS"],
  [/No (certificates|keys) found/, "EINVAL"],
  [/KeyMismatch/, "ERR_OSSL_X509_KEY_VALUES_MISMATCH"],
  [/close_notify/, "ECONNRESET"],
];

/** What an error says of something that the platform threw. */
export function failureOf(cause: unknown, address?: string): StreamErrorOptions & { why: string } {
  // Streams of the platform may fail with anything, nothing included.
  const { name, message, code } = Object(cause) as Partial<Error> & { code?: unknown };
  const number = Number(message?.match(/\(os error (\d+)\)/)?.[1]);
  const known = typeof code === "string"
    ? code
    : names.get(number) ?? TLS.find(([pattern]) => pattern.test(message ?? ""))?.[1] ??
      CODES[name ?? ""] ?? codeIn(message ?? "");
  const why = (message ?? String(cause)).replace(/ \(os error \d+\)/, "")
    .replace(/: \w+ '[^']*'$/, ""); // The path is told besides.
  return { why, code: known, errno: numbers[known] ?? 0, address, cause };
}

function codeIn(message: string): string {
  return /failed to lookup address|ENOTFOUND/.test(message) ? "ENOTFOUND" : "UNKNOWN";
}

/** The options of an error with a code of the system's table. */
export function coded(code: string, address?: string): StreamErrorOptions {
  return { code, errno: numbers[code] ?? 0, address };
}
