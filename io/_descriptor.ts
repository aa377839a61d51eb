import { Socket } from "node:net";
import tty from "node:tty";
import { NodeSocket } from "./_node_socket.ts";
import type { Transport } from "./transport.ts";

/** What an inherited descriptor is: a pipe, a socket, a terminal, or a file. */
export function openDescriptor(fd: number): Transport {
  try {
    return new PipeEnd(new Socket({ fd, readable: true, writable: true, allowHalfOpen: true }));
  } catch (error) {
    const kind = /fd type: (\w+)/.exec((error as Error).message)?.[1];
    if (kind === "FILE") return openAgain(fd);
    // In spite of its name it can be written, too.
    if (kind === "TTY") return new NodeSocket(new tty.ReadStream(fd) as Socket);
    throw new Deno.errors.BadResource(`${fd} is no open descriptor`, { cause: error });
  }
}

/**
 * A pipe's end, or a socket. Node does not say which end of which. The other side of an end that is written sees the
 * end of it once it is closed, and Node would close it only once it had been read to an end, too.
 */
class PipeEnd extends NodeSocket {
  constructor(socket: Socket) {
    super(socket);
    // Reading fails where there is nothing to be read ever, and what fails is closed.
    socket.once("finish", () => this.readAhead());
  }
}

/** Node's sockets take no files. The system gives them out anew by a path, with a place of their own. */
function openAgain(fd: number): Transport {
  const path = `/dev/fd/${fd}`;
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path, { read: true, write: true });
  } catch {
    file = Deno.openSync(path);
  }
  return {
    read: (into) => file.read(into),
    write: (data) => file.write(data),
    closeWrite: () => {},
    close: () => file.close(),
    ref: () => {},
    unref: () => {},
  };
}
