import { Socket } from "node:net";
import { NodeSocket } from "./_node_socket.ts";
import type { Transport } from "./transport.ts";

/** What an inherited descriptor is: a pipe, a socket, a terminal, or a file. */
export function openDescriptor(fd: number): Transport {
  try {
    return new NodeSocket(new Socket({ fd, readable: true, writable: true, allowHalfOpen: true }));
  } catch (error) {
    if (!/FILE/.test((error as Error).message)) {
      throw new Deno.errors.BadResource(`${fd} is no open descriptor`, { cause: error });
    }
    return openAgain(fd);
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
