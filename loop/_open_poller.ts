import { shown } from "./arguments.ts";
import { Epoll } from "./epoll.ts";
import { Kqueue } from "./kqueue.ts";
import { EBADF, ENOENT, EPERM, type Poller } from "./poller.ts";

/** Throws if it is no number of a descriptor. */
export function checkDescriptor(fd: unknown): void {
  if (!Number.isInteger(fd) || (fd as number) < 0 || (fd as number) > 0x7fffffff) {
    throw new RangeError(
      `Cannot watch a descriptor: its number must be an integer of at least 0, not ${shown(fd)}`,
    );
  }
}

/** The system's means to watch descriptors; `fd` is the one that they are wanted for. */
export function openPoller(fd: number): Poller {
  const { os } = Deno.build;
  if (os !== "linux" && os !== "darwin" && os !== "android") {
    throw new Deno.errors.NotSupported(
      `Cannot watch descriptor ${fd}: raw descriptors are watched on Linux and macOS only, not on ${os}`,
    );
  }
  try {
    return os === "darwin" ? new Kqueue() : new Epoll();
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotCapable)) throw cause;
    throw new Deno.errors.NotCapable(
      `Cannot watch descriptor ${fd}: raw descriptors need --allow-ffi`,
      { cause },
    );
  }
}

/** The error for what the system has said of a descriptor. */
export function failure(fd: number, code: number): Error {
  if (code === EBADF || code === ENOENT) {
    const error = new Deno.errors.BadResource(`Cannot watch descriptor ${fd}: it is not open`);
    return Object.assign(error, { code: "EBADF" });
  }
  if (code === EPERM) {
    const error = new Deno.errors.NotSupported(
      `Cannot watch descriptor ${fd}: it is a file or a folder, which is always ready`,
    );
    return Object.assign(error, { code: "EPERM" });
  }
  return new Error(`Cannot watch descriptor ${fd}: the system's error ${code}`);
}
