import { checkCount } from "../loop/arguments.ts";
import { EventLoop } from "../loop/event_loop.ts";
import { type Direction, type PollSource, type Watch, watching } from "../loop/poll_source.ts";
import { Scheduler } from "../loop/scheduler.ts";
import { checkpoint, givesFalse } from "../loop/wait.ts";
import { observe, Task } from "../tasks/task.ts";
import { shownAddress } from "./_address.ts";
import { coded, failureOf } from "./_failure.ts";
import { Onlookers } from "./_onlookers.ts";
import { OutsideLine } from "./_outside_line.ts";
import { StreamError, type StreamErrorOptions } from "./stream_error.ts";
import type { StreamConnection } from "./stream_connection.ts";
import type { Listener, SocketTransport } from "./transport.ts";

/** How a server is bound. */
export interface BindOptions {
  /** How many clients the system keeps waiting that have not been accepted. */
  backlog?: number;
}

/** How long a server waits before it accepts again after that has failed, in milliseconds. */
const BACK_OFF = 100;

/**
 * Accepts clients and runs {@linkcode StreamServer.prototype.handleConnection} for each in a task of its own.
 * When that returns, what is buffered is sent and the connection is closed. An error in it is reported, and
 * closes that connection only.
 */
export abstract class StreamServer<
  C extends StreamConnection = StreamConnection,
  A = unknown,
  S extends SocketTransport<A> = SocketTransport<A>,
> implements PollSource {
  readonly #tasks = new Map<C, Task>();
  /** How many connections are open from each host. */
  readonly #hosts = new Map<unknown, number>();
  readonly #line = new OutsideLine<unknown>(
    () => `${this.constructor.name}.serve()`,
    () => this.#left(),
  );
  readonly #onlookers = new Onlookers();
  #listener: Listener<A, S> | null = null;
  /** What its address is called in messages, once it has been bound. */
  #name: string | undefined;
  #accepted: S[] = [];
  #failure: { cause: unknown } | null = null;
  #failing = false;
  #accepting = false;
  #unreferenced = false;
  #serving = false;
  #closed = false;
  #maxConnections: number | undefined;

  /** How long nothing may go either way before a connection is closed, in milliseconds. Undefined: for ever. */
  idleTimeout?: number;
  /** The {@linkcode BaseStream.prototype.maxBuffered} of each connection. Undefined: there is no limit. */
  maxBuffered?: number;
  /** How many connections may be open at once from one address; those beyond are closed. Undefined: any number. */
  maxConnectionsPerPeer?: number;

  /** Whether {@linkcode StreamServer.prototype.close} was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** The connections that are open, in the order in which they were accepted. */
  get connections(): readonly C[] {
    return [...this.#tasks.keys()];
  }

  /** How many connections may be open at once. Clients beyond wait to be accepted. Undefined: any number. */
  get maxConnections(): number | undefined {
    return this.#maxConnections;
  }

  set maxConnections(count: number | undefined) {
    if (count !== undefined) checkCount("maxConnections", count, 1);
    this.#maxConnections = count;
    this.#line.wakeAll(undefined);
  }

  /** Where it listens. */
  get address(): A {
    if (this.#listener === null) {
      const why = this.#closed ? "it is closed" : "it is not bound";
      throw this.refuse("get the address", why, this.#closed ? "ECLOSED" : "EINVAL");
    }
    return this.#listener.address;
  }

  /**
   * What is done with a client. To be overridden.
   *
   * @param connection Is closed when this returns.
   */
  abstract handleConnection(connection: C): unknown;

  /**
   * Accepts clients until {@linkcode StreamServer.prototype.close}. If the task that calls is killed, the
   * server stays bound, and can go on.
   *
   * @throws {StreamError} If the server is not bound, is closed, or is served already.
   */
  async serve(): Promise<void> {
    await checkpoint();
    if (this.#closed) throw this.refuse("serve", "the server is closed", "ECLOSED");
    if (this.#listener === null) {
      throw this.refuse("serve", "the server is not bound; bind() it first", "EINVAL");
    }
    if (this.#serving) throw this.refuse("serve", "it is served already", "EALREADY");
    this.#serving = true;
    try {
      while (!this.#closed) await this.#serveNext(this.#listener);
    } finally {
      this.#serving = false;
    }
  }

  /**
   * Ends the server: kills the tasks of its connections, then closes those. Nothing is reported for them.
   * Again, it does nothing.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener?.close();
    this.#listener = null;
    const tasks = [...this.#tasks];
    this.#tasks.clear();
    for (const [, task] of tasks) task.kill();
    for (const [connection] of tasks) connection.close();
    for (const socket of this.#accepted.splice(0)) socket.close();
    this.#line.wakeAll(undefined);
    this.#onlookers.notify();
  }

  /** {@linkcode StreamServer.prototype.close} */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Tells when a client is there to be accepted; only before it is served, or after that has ended. */
  [watching](_direction: Direction, notify: (error?: Error) => void): Watch {
    return this.#onlookers.add(() => notify(), () => {
      const listener = this.#listener;
      if (this.#closed || listener === null || this.#accepted.length > 0) return true;
      this.#accept(listener);
      return false;
    }, () => this.#left());
  }

  /** Binds it to what `open` makes. For subclasses. */
  protected listen(address: string, open: () => Listener<A, S>): void {
    if (this.#closed) throw this.refuse("bind", "the server is closed", "ECLOSED");
    if (this.#listener !== null) throw this.refuse("bind", "the server is bound already", "EINVAL");
    try {
      this.#listener = open();
      this.#name = shownName(this.#listener.address) ?? address;
    } catch (cause) {
      if (!(cause instanceof Error) || cause instanceof RangeError) throw cause;
      const { why, ...options } = failureOf(cause, address);
      throw this.makeError(`Cannot bind to ${address}: ${why}`, options);
    }
  }

  /** Makes the connection that stands on `socket`. */
  protected abstract makeConnection(socket: S): C;

  /** What is done, in the connection's task, before it is handled. */
  protected prepare(_connection: C): Promise<void> | void {}

  /** What a client's address is called in messages. */
  protected abstract nameOf(address: A): string;

  /** What is the same for all clients of one machine; of a kind that has no such thing, for all. */
  protected hostOf(_address: A): unknown {
    return null;
  }

  /** Makes an error of the class that this kind of server throws. */
  protected makeError(message: string, options: StreamErrorOptions): StreamError {
    return new StreamError(message, options);
  }

  /** The error for a call that makes no sense now. */
  protected refuse(what: string, why: string, code: string): StreamError {
    return this.makeError(`Cannot ${what}: ${why}`, coded(code, this.#name));
  }

  async #serveNext(listener: Listener<A, S>): Promise<void> {
    if (this.#failure !== null) return await this.#backOff(this.#failure.cause);
    if (this.#tasks.size < (this.#maxConnections ?? Infinity)) {
      const socket = this.#accepted.shift();
      if (socket !== undefined) return this.#start(socket);
      this.#accept(listener);
    }
    await this.#line.wait(givesFalse);
  }

  /** One accept is under way at the most; what it brings is for whoever serves then. */
  #accept(listener: Listener<A, S>): void {
    if (this.#unreferenced) {
      this.#unreferenced = false;
      listener.ref();
    }
    if (this.#accepting) return;
    this.#accepting = true;
    listener.accept().then(
      (socket) => {
        this.#accepting = this.#failing = false;
        if (this.#closed) return socket.close();
        this.#accepted.push(socket);
        this.#line.wakeAll(undefined);
        this.#onlookers.notify();
      },
      (cause) => {
        this.#accepting = false;
        if (this.#closed) return;
        this.#failure = { cause };
        this.#line.wakeAll(undefined);
        this.#onlookers.notify();
      },
    );
  }

  /** Accepting has failed, for want of descriptors most likely. It will go on when there are some again. */
  async #backOff(cause: unknown): Promise<void> {
    this.#failure = null;
    if (!this.#failing) {
      this.#failing = true;
      const { why, ...options } = failureOf(cause, this.#name);
      Scheduler.current().report({
        error: this.makeError(`Cannot accept a client: ${why}`, options),
        message: `${this.constructor.name} cannot accept clients, and goes on trying`,
      });
    }
    await this.#line.wait(givesFalse, { timeout: BACK_OFF });
  }

  #start(socket: S): void {
    const host = this.hostOf(socket.remoteAddress);
    const open = this.#hosts.get(host) ?? 0;
    if (open >= (this.maxConnectionsPerPeer ?? Infinity)) return socket.close();
    let connection: C;
    try {
      connection = this.makeConnection(socket);
    } catch (error) {
      socket.close();
      throw error;
    }
    const name = `${this.constructor.name} with ${this.nameOf(socket.remoteAddress)}`;
    const task = new Task(() => this.#handle(connection), { name });
    if (this.maxBuffered !== undefined) connection.maxBuffered = this.maxBuffered;
    observe(task, () => this.#closed);
    this.#tasks.set(connection, task);
    this.#hosts.set(host, open + 1);
    connection.onceClosed(() => this.#leave(host));
    if (this.idleTimeout !== undefined) this.#watch(connection, task, this.idleTimeout);
    task.start();
  }

  async #handle(connection: C): Promise<void> {
    try {
      await this.prepare(connection);
      await this.handleConnection(connection);
      await flushed(connection);
    } finally {
      connection.close();
      if (this.#tasks.delete(connection)) this.#line.wakeAll(undefined);
    }
  }

  /** Ends a connection on which nothing goes either way. */
  #watch(connection: C, task: Task, limit: number): void {
    let seen = -1;
    const look = () => {
      const now = connection.bytesRead + connection.bytesWritten;
      if (now === seen) {
        task.kill();
        return connection.close();
      }
      seen = now;
      handler = loop.callLater(limit, look);
    };
    const loop = EventLoop.current();
    let handler = loop.callLater(limit, look);
    connection.onceClosed(() => handler.cancel());
  }

  #leave(host: unknown): void {
    const left = this.#hosts.get(host)! - 1;
    if (left > 0) this.#hosts.set(host, left);
    else this.#hosts.delete(host);
  }

  #left(): void {
    if (this.#onlookers.size > 0 || this.#line.size > 0) return;
    if (!this.#accepting || this.#unreferenced) return;
    this.#unreferenced = true;
    this.#listener?.unref();
  }
}

/** What an address of the platform's is called in messages. */
function shownName(address: unknown): string | undefined {
  const { path, hostname, port } = address as Partial<Deno.UnixAddr & Deno.NetAddr>;
  return hostname !== undefined && port !== undefined ? shownAddress({ hostname, port }) : path;
}

/** Waits until all is sent. That the client does not want it any more is no error of anybody's. */
async function flushed(connection: StreamConnection): Promise<void> {
  try {
    if (connection.buffered > 0) await connection.flush();
  } catch (error) {
    if (!(error instanceof StreamError)) throw error;
  }
}
