import { outside } from "./outside.ts";
import { shown } from "./arguments.ts";
import { revive } from "./carried_error.ts";
import { RuntimeError } from "./errors.ts";
import type { Answer, Request } from "./expose.ts";
import type { Handler } from "./handler.ts";
import { takeTransfers } from "./transfer.ts";

/** What a function takes. */
export type ArgumentsOf<F> = F extends (...args: infer A) => unknown ? A : never;
/** What a function gives, awaited. */
export type ResultOf<F> = F extends (...args: never[]) => infer R ? Awaited<R> : never;

/**
 * A loop in another thread, seen from this one: its exposed functions can be called by name. Calls start there
 * in the order in which they were made.
 */
export interface RemoteLoop<F> {
  /**
   * Has a function called, and waits for nothing. An error in it is reported over there.
   *
   * @returns A handler: cancelled in time, the function is not called.
   * @throws {RuntimeError} If the connection is closed.
   * @throws {TypeError} If an argument cannot be cloned.
   */
  callFromThread<K extends keyof F & string>(name: K, ...args: ArgumentsOf<F[K]>): Handler;
  /**
   * Calls a function, and gives its result. This side needs no loop for it; a task that is to be killable
   * meanwhile wraps it in `cooperate`.
   *
   * @throws What the function throws.
   * @throws {RuntimeError} If either side closes, or its thread ends, before the answer has come.
   * @throws {TypeError} If the loop exposes no such function, or an argument or the result cannot be cloned.
   */
  call<K extends keyof F & string>(name: K, ...args: ArgumentsOf<F[K]>): Promise<ResultOf<F[K]>>;
  /** Closes the connection. What is outstanding is rejected with a {@linkcode RuntimeError}. */
  close(): void;
}

/**
 * Connects to a loop in another thread, which made `port` by {@linkcode EventLoop.prototype.expose}. The
 * connection keeps a program going only while a call is outstanding.
 *
 * @throws {TypeError} If `port` is no `MessagePort`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { connectLoop, cooperate, EventLoop, sleep } from "@evergreen/evergreen";
 *
 * const functions = { add: async (a: number, b: number) => (await sleep(1), a + b) };
 * const port = EventLoop.current().expose(functions); // To be sent to another thread.
 *
 * const remote = connectLoop<typeof functions>(port); // In that thread.
 * assertEquals(await cooperate(remote.call("add", 1, 2)), 3);
 * remote.close();
 * ```
 */
export function connectLoop<F>(port: MessagePort): RemoteLoop<F> {
  if (typeof port?.postMessage !== "function") {
    throw new TypeError(`Cannot connect to a loop: a MessagePort is needed, not ${shown(port)}`);
  }
  return new Connection(port) as unknown as RemoteLoop<F>;
}

/** A port as Deno has it. */
type ReferencedPort = MessagePort & { ref(): void; unref(): void };

class Connection {
  /** What came from the other thread. It only keeps the other side's end open. */
  readonly #given: MessagePort;
  readonly #port: ReferencedPort;
  readonly #outstanding = new Map<number, PromiseWithResolvers<unknown>>();
  #last = 0;
  #closed: string | null = null;

  constructor(given: MessagePort) {
    this.#given = given;
    // A port that came from another thread is not told on Deno that the other end has closed; one that was made
    // here is. So each side listens on one that it has made itself.
    const { port1, port2 } = new MessageChannel();
    given.postMessage(port2, [port2]);
    const port = this.#port = port1 as ReferencedPort;
    outside(() => {
      port.onmessage = ({ data }) => this.#receive(data);
      port.addEventListener("close", () => this.#close("the other side has closed"));
    });
    port.unref();
  }

  callFromThread(name: string, ...args: unknown[]): Handler {
    const handler = new RemoteHandler();
    this.#send(["cast", handler.flag, name, args]);
    return handler;
  }

  async call(name: string, ...args: unknown[]): Promise<unknown> {
    const id = ++this.#last;
    this.#send(["call", id, name, args]);
    const answer = Promise.withResolvers<unknown>();
    if (this.#outstanding.size === 0) this.#port.ref();
    this.#outstanding.set(id, answer);
    return await answer.promise;
  }

  close(): void {
    this.#close("the connection was closed");
  }

  #send(request: Request): void {
    if (this.#closed !== null) throw new RuntimeError(`Cannot call ${request[2]}: ${this.#closed}`);
    try {
      this.#port.postMessage(request, takeTransfers(request[3]));
    } catch (cause) {
      const why = (cause as Error).message;
      throw new TypeError(`Cannot call ${request[2]}: an argument cannot be sent: ${why}`, {
        cause,
      });
    }
  }

  #receive([id, returned, value]: Answer): void {
    const answer = this.#outstanding.get(id);
    if (answer === undefined) return;
    this.#outstanding.delete(id);
    if (this.#outstanding.size === 0) this.#port.unref();
    if (returned) answer.resolve(value);
    else answer.reject(revive(value));
  }

  #close(why: string): void {
    if (this.#closed !== null) return;
    this.#closed = why;
    this.#port.close();
    this.#given.close();
    for (const { reject } of this.#outstanding.values()) {
      reject(new RuntimeError(`The call was not answered: ${why}`));
    }
    this.#outstanding.clear();
  }
}

class RemoteHandler implements Handler {
  /** What the other thread looks at before it calls. */
  readonly flag: Int32Array = new Int32Array(new SharedArrayBuffer(4));

  get cancelled(): boolean {
    return this.flag[0] === 1;
  }

  cancel(): void {
    Atomics.store(this.flag, 0, 1);
  }

  [Symbol.dispose](): void {
    this.cancel();
  }
}
