import { Socket } from "node:net";
import tty from "node:tty";
import { isGranted } from "./_granted.ts";
import { NodeSocket } from "./_node_socket.ts";
import { standardOutput } from "./_standard_output.ts";
import type { Transport } from "./transport.ts";

/** A terminal's size, in characters. */
export interface WindowSize {
  /** Its width. */
  columns: number;
  /** Its height. */
  rows: number;
}

let standardInput: Transport | null = null;

/** What stands behind the program's input. There is one, which is never closed: streams on it come and go. */
export function openStandardInput(): Transport {
  const input = standardInput ??= makeStandardInput();
  return {
    read(into) {
      input.ref();
      return input.read(into);
    },
    write: () => {
      throw new Deno.errors.NotSupported("The program's input cannot be written");
    },
    closeWrite: () => {},
    close: () => input.unref(),
    ref: () => input.ref(),
    unref: () => input.unref(),
  };
}

function makeStandardInput(): Transport {
  try {
    const socket = Deno.stdin.isTerminal()
      ? new tty.ReadStream(0)
      : new Socket({ fd: 0, readable: true, writable: false });
    return new NodeSocket(socket as Socket);
  } catch {
    // It is a file: a read of it ends by itself.
    return { ...standardOutput(1), read: (into) => Deno.stdin.read(into) };
  }
}

/** A terminal: a stream of bytes with a size and a mode. */
export interface Terminal extends Transport {
  size(): WindowSize;
  /** Puts it into raw mode, or out of it. */
  setRaw(enable: boolean): void;
}

/** A terminal by its descriptor, to be read or to be written. */
export function openTerminal(fd: number, readable: boolean): Terminal {
  if (fd > 2) return new TtySocket(fd, readable);
  const transport = fd === 0 && readable ? openStandardInput() : standardOutput(fd === 2 ? 2 : 1);
  return {
    ...transport,
    size: () => Deno.consoleSize(),
    setRaw: (enable) => setRaw(fd, enable),
  };
}

/** One of the program's own terminals, which need not be its input. */
function setRaw(fd: number, enable: boolean): void {
  if (fd === 0 || Deno.stdin.isTerminal()) return Deno.stdin.setRaw(enable);
  const terminal = new tty.ReadStream(fd);
  try {
    terminal.setRawMode(enable);
  } finally {
    terminal.destroy();
  }
}

/** A terminal that the program was given besides its own. */
class TtySocket extends NodeSocket implements Terminal {
  readonly #terminal: tty.ReadStream;
  /** What it is written by. */
  readonly #output: Deno.FsFile | null;

  constructor(fd: number, readable: boolean) {
    const terminal = new tty.ReadStream(fd);
    super(terminal as unknown as Socket);
    this.#terminal = terminal;
    this.#output = readable ? null : openOutput(fd);
  }

  override write(data: Uint8Array): Promise<number> {
    return this.#output?.write(data) ?? super.write(data);
  }

  override close(): void {
    super.close();
    this.#output?.close();
  }

  size(): WindowSize {
    // Only a `tty.WriteStream` tells in public, and each one opens the terminal once more.
    const size = [0, 0];
    const { _handle: handle } = this.#terminal as unknown as { _handle: SizedHandle };
    const failed = handle.getWindowSize(size);
    if (failed !== 0) throw new Deno.errors.NotSupported(`The system gave ${failed}`);
    return { columns: size[0], rows: size[1] };
  }

  setRaw(enable: boolean): void {
    this.#terminal.setRawMode(enable);
  }
}

/**
 * A terminal to be written in threads, as the platform writes the program's own ones. Of Node's two ways one holds up
 * the whole program while a terminal does not take more, and the other waits for ever when it has taken a part. But
 * those need no permission, so the second, which is fine for the little that is typed, stands in where this one fails.
 */
function openOutput(fd: number): Deno.FsFile | null {
  const path = `/dev/fd/${fd}`;
  if (!isGranted(path, "read", "write")) return null;
  try {
    // The other side of a terminal would be made anew.
    if (Deno.build.os === "linux" && Deno.readLinkSync(path).endsWith("/ptmx")) return null;
    return Deno.openSync(path, { write: true });
  } catch {
    return null;
  }
}

/** What a terminal of Node's stands on. */
interface SizedHandle {
  getWindowSize(size: number[]): number;
}
