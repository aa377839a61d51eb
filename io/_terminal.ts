import { Socket } from "node:net";
import tty from "node:tty";
import { NodeSocket } from "./_node_socket.ts";
import type { Transport } from "./transport.ts";

/** A terminal's size, in characters. */
export interface WindowSize {
  /** Its width. */
  columns: number;
  /** Its height. */
  rows: number;
}

/** What stands behind one of the program's own streams that is written. It is never closed. */
export function standardOutput(output: typeof Deno.stdout | typeof Deno.stderr): Transport {
  return {
    read: () => null,
    write: (data) => output.write(data),
    closeWrite: () => {},
    close: () => {},
    ref: () => {},
    unref: () => {},
  };
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
    return { ...standardOutput(Deno.stdout), read: (into) => Deno.stdin.read(into) };
  }
}

/** A terminal by its descriptor, to be read or to be written. */
export function openTerminal(fd: number, readable: boolean): Transport {
  if (readable) {
    return fd === 0 ? openStandardInput() : new NodeSocket(new tty.ReadStream(fd) as Socket);
  }
  if (fd === 1 || fd === 2) return standardOutput(fd === 1 ? Deno.stdout : Deno.stderr);
  return new NodeSocket(new tty.WriteStream(fd) as Socket);
}

/** The size of a terminal. */
export function sizeOf(fd: number): WindowSize {
  if (fd <= 2) return Deno.consoleSize();
  const [columns, rows] = new tty.WriteStream(fd).getWindowSize();
  return { columns, rows };
}

/** Puts a terminal into raw mode, or out of it. */
export function setRaw(fd: number, enable: boolean): void {
  if (fd <= 2) Deno.stdin.setRaw(enable);
  else new tty.ReadStream(fd).setRawMode(enable);
}
