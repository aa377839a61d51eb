import { resolve } from "node:path";
import { isGranted } from "./_granted.ts";
import { DenoListener, DenoSocket } from "./_deno_socket.ts";
import type { Listener, SocketTransport } from "./transport.ts";

// Taken now: a program may put functions of its own in their place.
const { listen } = Deno;

/**
 * Paths whose listener was closed, until the platform has removed them. It does that when the accept that was
 * under way has ended, which is later, and it does not look whose path it is by then.
 */
const closing = new Map<string, Promise<unknown>>();

/** Listens on a path. A socket that a program has left there that ended without closing it is removed. */
export function listenUnix(path: string): Listener<Deno.UnixAddr, SocketTransport<Deno.UnixAddr>> {
  let listener: Deno.UnixListener;
  try {
    listener = listen({ transport: "unix", path });
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse) || !isStale(path)) throw error;
    Deno.removeSync(path);
    listener = listen({ transport: "unix", path });
  }
  closing.get(path)?.then(keep(path));
  return new UnixListener(listener);
}

class UnixListener
  extends DenoListener<Deno.UnixAddr, Deno.UnixConn, SocketTransport<Deno.UnixAddr>> {
  /** Where it is, though the program may go elsewhere. */
  readonly #path: string;
  readonly #inode: number | null;
  #accepting: Promise<unknown> | null = null;

  constructor(listener: Deno.UnixListener) {
    super(listener, (connection) => new DenoSocket(connection));
    this.#path = resolve(this.address.path);
    this.#inode = inodeOf(this.#path);
  }

  override accept(): Promise<SocketTransport<Deno.UnixAddr>> {
    const accepting = super.accept();
    this.#accepting = accepting;
    return accepting;
  }

  override close(): void {
    const { path } = this.address;
    const inode = inodeOf(this.#path);
    // Somebody may have removed the path, and have put something else there.
    const restore = inode !== null && inode !== this.#inode ? keep(this.#path) : null;
    super.close();
    if (restore === null) remove(this.#path);
    else restore();
    const closed = Promise.allSettled([this.#accepting]).then(() => {
      if (closing.get(path) === closed) closing.delete(path);
    });
    if (restore !== null) closed.then(keep(this.#path));
    closing.set(path, closed);
  }
}

/** What tells one file from another; `null` if there is none at that path, or it may not be looked at. */
function inodeOf(path: string): number | null {
  try {
    return Deno.lstatSync(path).ino;
  } catch {
    return null;
  }
}

let kept = 0;

/** Keeps what is at a path now. Returns what puts it back there, should it be gone. */
function keep(path: string): () => void {
  const beside = `${path}.${Deno.pid}.${++kept}`;
  Deno.linkSync(path, beside);
  return () => {
    // Renaming it to what is the same file leaves both.
    if (inodeOf(path) === null) Deno.renameSync(beside, path);
    else Deno.removeSync(beside);
  };
}

function remove(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Whether a path is a socket that nobody listens on. Only Linux says that without connecting to it. */
function isStale(path: string): boolean {
  if (Deno.build.os !== "linux" || !Deno.lstatSync(path).isSocket) return false;
  const names = "/proc/net/unix";
  if (!isGranted(names, "read")) return false; // Then nobody knows.
  let table: string;
  try {
    table = Deno.readTextFileSync(names);
  } catch {
    return false; // That needs more than it seems.
  }
  // The path that the other program has given, which may be a relative one.
  const name = path.slice(path.lastIndexOf("/") + 1);
  return !table.split("\n").some((line) => {
    const other = line.split(" ").slice(7).join(" ").trim();
    return other === name || other.endsWith(`/${name}`);
  });
}
