import { Scheduler } from "../loop/scheduler.ts";
import type { Direction, Pollable, Watch } from "../loop/poll_source.ts";
import { watch } from "../loop/readiness.ts";
import { checkpoint, type Expiry, OUTSIDE, TASK, Wait, type WaitOptions } from "../loop/wait.ts";

/**
 * What can be waited for: a raw descriptor, a stream, socket or server of this library, and a connection or listener
 * of {@linkcode socket}. One of the platform's own is refused.
 */
export type ReadySource = Pollable | Deno.Conn | Deno.Listener;

/** What {@linkcode SelectFunctions.select} gives: those that can be read, and those that can be written. */
export type Ready<R extends ReadySource, W extends ReadySource> = [readers: R[], writers: W[]];

/** Waiting for several sources at once. */
export interface SelectFunctions {
  /**
   * Waits until at least one source is ready: a read, or a write, of it would not wait. Whatever else is ready at
   * that time is given with it, in the order in which it was listed. Nothing is read or written.
   *
   * A file is always ready, as for the system's own `select`; but so it is at its end, too.
   *
   * @param readers What is to be read: streams, sockets and servers, connections and listeners of
   * `lib.socket`, and, with `--allow-ffi`, raw descriptors.
   * @param writers What is to be written.
   * @returns Those that are ready; two empty lists when `options.timeout` passes. With 0, those that are ready now.
   * @throws {BadResource} `Deno.errors.BadResource`, if a descriptor is not open, or is closed meanwhile.
   * @throws {TypeError} If something cannot be watched.
   */
  select<R extends ReadySource = never, W extends ReadySource = never>(
    readers: Iterable<R>,
    writers?: Iterable<W>,
    options?: WaitOptions,
  ): Promise<Ready<R, W>>;
}

/** How many turns of the platform a `select` that need not wait gives the system to say what is ready. */
const TURNS = 3;

/**
 * Waits for several streams, sockets and descriptors at once, as Python's `select.select` and `select(2)` do.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { lib, spawn, TcpClient, type TcpConnection, TcpServer } from "@evergreen/evergreen";
 *
 * class Greeter extends TcpServer {
 *   override async handleConnection(connection: TcpConnection): Promise<void> {
 *     await connection.write("hello");
 *     await connection.read();
 *   }
 * }
 * const server = new Greeter();
 * server.bind({ hostname: "127.0.0.1", port: 0 });
 * spawn(() => server.serve());
 *
 * const client = new TcpClient();
 * await client.connect(server.sockname);
 * const [readers] = await lib.select.select([client]);
 * assertEquals(readers, [client]);
 * assertEquals(await client.read(), new TextEncoder().encode("hello"));
 * client.close();
 * server.close();
 * ```
 */
export const select: SelectFunctions = {
  select<R extends ReadySource, W extends ReadySource>(
    readers: Iterable<R>,
    writers: Iterable<W> = [],
    options?: WaitOptions,
  ): Promise<Ready<R, W>> {
    const refused = checkpoint(options);
    if (refused !== undefined) return refused;
    try {
      return new Selection<R, W>([...readers], [...writers]).wait(options);
    } catch (error) {
      return Promise.reject(error);
    }
  },
};

/** One call of `select` that waits. */
class Selection<R extends ReadySource, W extends ReadySource> {
  readonly #readers: R[];
  readonly #writers: W[];
  readonly #readable = new Set<ReadySource>();
  readonly #writable = new Set<ReadySource>();
  readonly #watches: Watch[] = [];
  /** How many can become ready. */
  readonly #count: number;
  readonly #scheduler: Scheduler = Scheduler.current();
  #wait: Wait<Ready<R, W>> | null = null;
  #settling = false;

  constructor(readers: R[], writers: W[]) {
    this.#readers = readers;
    this.#writers = writers;
    try {
      const [distinctReaders, distinctWriters] = [new Set(readers), new Set(writers)];
      for (const reader of distinctReaders) this.#watch("read", reader, this.#readable);
      for (const writer of distinctWriters) this.#watch("write", writer, this.#writable);
      this.#count = distinctReaders.size + distinctWriters.size;
    } catch (error) {
      this.#close();
      throw error;
    }
  }

  wait(options?: WaitOptions): Promise<Ready<R, W>> {
    const reason = { describe: () => `select() of ${this.#watches.length} sources` };
    const wait = this.#wait = Wait.begin<Ready<R, W>>(
      this.#scheduler,
      reason,
      // Of nothing, it only waits for its timeout.
      this.#watches.length > 0 ? OUTSIDE : TASK,
    );
    wait.onLeave(() => this.#close());
    this.#settling = true; // Until all were asked.
    for (const watch of [...this.#watches]) watch.arm();
    if (this.#readyCount === this.#count && this.#count > 0) {
      queueMicrotask(() => this.#end());
    } else if (this.#readyCount > 0 || options?.timeout === 0) {
      this.#look(TURNS);
    } else {
      this.#settling = false;
      if (options !== undefined) wait.limit(options, this.#givesNothing);
    }
    return wait.promise;
  }

  readonly #givesNothing: Expiry = {
    atOnce: () => Promise.reject(new Error("A selection is made before it is waited for")),
    expire: (wait) => {
      this.#close();
      wait.wake([[], []]);
    },
  };

  #watch(direction: Direction, source: ReadySource, ready: Set<ReadySource>): void {
    const notify = (error?: Error): void => {
      if (error !== undefined) return this.#fail(error);
      ready.add(source);
      this.#settle();
    };
    try {
      this.#watches.push(watch(this.#scheduler, source as Pollable, direction, notify));
    } catch (error) {
      if ((error as { code?: string }).code !== "EPERM") throw error;
      ready.add(source); // A file.
    }
  }

  get #readyCount(): number {
    return this.#readable.size + this.#writable.size;
  }

  /** Something is ready. What else is, is told in the same turn; after that it is over. */
  #settle(): void {
    if (this.#settling || this.#wait === null) return;
    this.#settling = true;
    queueMicrotask(() => this.#end());
  }

  /** Ends it after some turns of the platform: by then, all that are ready have said so. */
  #look(turns: number): void {
    setImmediate(() => {
      if (this.#wait!.done) return;
      if (turns > 1 && this.#readyCount < this.#count) this.#look(turns - 1);
      else this.#end();
    });
  }

  #end(): void {
    this.#close();
    this.#wait!.wake([
      this.#readers.filter((reader) => this.#readable.has(reader)),
      this.#writers.filter((writer) => this.#writable.has(writer)),
    ]);
  }

  #fail(error: Error): void {
    this.#close();
    this.#wait?.throw(error);
  }

  #close(): void {
    for (const watch of this.#watches.splice(0)) watch.close();
  }
}
