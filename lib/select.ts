import { Scheduler } from "../loop/scheduler.ts";
import type { Direction, Pollable, Watch } from "../loop/poll_source.ts";
import { watch } from "../loop/readiness.ts";
import { checkpoint, type Expiry, OUTSIDE, Wait, type WaitOptions } from "../loop/wait.ts";

/** What {@linkcode SelectFunctions.select} gives: those that can be read, and those that can be written. */
export type Ready<R extends Pollable, W extends Pollable> = [readers: R[], writers: W[]];

/** Waiting for several sources at once. */
export interface SelectFunctions {
  /**
   * Waits until at least one source is ready: a read, or a write, of it would not wait. Whatever else is ready at
   * that time is given with it, in the order in which it was listed. Nothing is read or written.
   *
   * A file is always ready, as for the system's own `select`; but so it is at its end, too.
   *
   * @param readers What is to be read: streams, sockets and servers, and, with `--allow-ffi`, raw descriptors.
   * @param writers What is to be written.
   * @returns Those that are ready; two empty lists when `options.timeout` passes. With 0, those that are ready now.
   * @throws {BadResource} `Deno.errors.BadResource`, if a descriptor is not open, or is closed meanwhile.
   * @throws {TypeError} If something cannot be watched.
   */
  select<R extends Pollable = never, W extends Pollable = never>(
    readers: Iterable<R>,
    writers?: Iterable<W>,
    options?: WaitOptions,
  ): Promise<Ready<R, W>>;
}

/** How many turns of the platform a `select` that may not wait gives the system to say what is ready. */
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
  select<R extends Pollable, W extends Pollable>(
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
class Selection<R extends Pollable, W extends Pollable> {
  readonly #readers: R[];
  readonly #writers: W[];
  readonly #readable = new Set<Pollable>();
  readonly #writable = new Set<Pollable>();
  readonly #watches: Watch[] = [];
  readonly #scheduler: Scheduler = Scheduler.current();
  #wait: Wait<Ready<R, W>> | null = null;
  #settling = false;

  constructor(readers: R[], writers: W[]) {
    this.#readers = readers;
    this.#writers = writers;
    try {
      for (const reader of new Set(readers)) this.#watch("read", reader, this.#readable);
      for (const writer of new Set(writers)) this.#watch("write", writer, this.#writable);
    } catch (error) {
      this.#close();
      throw error;
    }
  }

  wait(options?: WaitOptions): Promise<Ready<R, W>> {
    const reason = { describe: () => `select() of ${this.#watches.length} sources` };
    const wait = this.#wait = Wait.begin<Ready<R, W>>(this.#scheduler, reason, OUTSIDE);
    wait.onLeave(() => this.#close());
    for (const watch of [...this.#watches]) watch.arm();
    if (this.#isReady) this.#settle();
    else if (options?.timeout === 0) this.#look(TURNS);
    else if (options !== undefined) wait.limit(options, this.#givesNothing);
    return wait.promise;
  }

  readonly #givesNothing: Expiry = {
    atOnce: () => Promise.reject(new Error("A selection is made before it is waited for")),
    expire: (wait) => {
      this.#close();
      wait.wake([[], []]);
    },
  };

  #watch(direction: Direction, source: Pollable, ready: Set<Pollable>): void {
    const notify = (error?: Error): void => {
      if (error !== undefined) return this.#fail(error);
      ready.add(source);
      this.#settle();
    };
    try {
      this.#watches.push(watch(this.#scheduler, source, direction, notify));
    } catch (error) {
      if ((error as { code?: string }).code !== "EPERM") throw error;
      ready.add(source); // A file.
    }
  }

  get #isReady(): boolean {
    return this.#readable.size + this.#writable.size > 0;
  }

  /** Something is ready. What else is, is told in the same turn; after that it is over. */
  #settle(): void {
    if (this.#settling || this.#wait === null) return;
    this.#settling = true;
    queueMicrotask(() => this.#end());
  }

  /** Ends it after some turns of the platform, whatever is ready then. */
  #look(turns: number): void {
    setImmediate(() => {
      if (this.#wait!.done) return;
      if (turns > 1 && !this.#isReady) this.#look(turns - 1);
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
