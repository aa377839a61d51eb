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
  #accepting: Promise<unknown> | null = null;

  constructor(listener: Deno.UnixListener) {
    super(listener, (connection) => new DenoSocket(connection));
  }

  override accept(): Promise<SocketTransport<Deno.UnixAddr>> {
    const accepting = super.accept();
    this.#accepting = accepting;
    return accepting;
  }

  override close(): void {
    const { path } = this.address;
    super.close();
    remove(path);
    const closed = Promise.allSettled([this.#accepting]).then(() => {
      if (closing.get(path) === closed) closing.delete(path);
    });
    closing.set(path, closed);
  }
}

/** Keeps what is at a path now. Returns what puts it back there. */
function keep(path: string): () => void {
  const kept = `${path}.${Deno.pid}`;
  Deno.linkSync(path, kept);
  return () => Deno.renameSync(kept, path);
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
  let table: string;
  try {
    table = Deno.readTextFileSync("/proc/net/unix");
  } catch {
    return false; // It may not be looked at: then nobody knows.
  }
  // The path that the other program has given, which may be a relative one.
  const name = path.slice(path.lastIndexOf("/") + 1);
  return !table.split("\n").some((line) => {
    const other = line.split(" ").slice(7).join(" ").trim();
    return other === name || other.endsWith(`/${name}`);
  });
}
