import type { Transport } from "./transport.ts";

/** What stands behind one of the program's own streams that is written. It is never closed. */
export function standardOutput(fd: 1 | 2): Transport {
  const output = fd === 1 ? Deno.stdout : Deno.stderr;
  return {
    read: () => null,
    write: (data) => output.write(data),
    closeWrite: () => {},
    close: () => {},
    ref: () => {},
    unref: () => {},
  };
}
