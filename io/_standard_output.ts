import { isGranted } from "./_granted.ts";
import type { Transport } from "./transport.ts";

// Not one that a program may put in its place later.
const { setTimeout } = globalThis;

/** So much a pipe takes whole, or not at all. */
const WHOLE = 4_096;
/** How long to wait for room at first and at the most where the system does not tell of it, in milliseconds. */
const SHORTEST = 1;
const LONGEST = 16;
/** As Linux shows it. */
const NONBLOCK = 0o4000;

/**
 * What stands behind one of the program's own streams that is written. It is never closed.
 *
 * The platform writes it in threads that wait. But whoever shares it, the program's own input for one, may have made
 * it one where nothing waits. A write then fails when it is full, and does not tell how much it took before; so there
 * it is given little at a time.
 */
export function standardOutput(fd: 1 | 2): Transport {
  const output = fd === 1 ? Deno.stdout : Deno.stderr;
  let closed = false;
  const patiently = async (data: Uint8Array): Promise<number> => {
    for (let pause = SHORTEST;; pause = Math.min(2 * pause, LONGEST)) {
      try {
        return await output.write(data);
      } catch (error) {
        if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, pause));
      if (closed) throw new Deno.errors.Interrupted("operation canceled");
    }
  };
  return {
    read: () => null,
    write(data) {
      if (data.length <= WHOLE) return patiently(data);
      return waits(fd) ? output.write(data) : patiently(data.subarray(0, WHOLE));
    },
    closeWrite: () => {},
    close: () => {
      closed = true;
    },
    ref: () => {},
    unref: () => {},
  };
}

/** Whether a write waits for room, as far as the system tells (Linux) and may be asked. */
function waits(fd: number): boolean {
  const path = `/proc/self/fdinfo/${fd}`;
  if (Deno.build.os !== "linux" || !isGranted(path, "read")) return true;
  try {
    const flags = /flags:\s+([0-7]+)/.exec(Deno.readTextFileSync(path))?.[1];
    return flags === undefined || (parseInt(flags, 8) & NONBLOCK) === 0;
  } catch {
    return true;
  }
}
