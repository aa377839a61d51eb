import { checkCallback, checkCount, checkDelay } from "../loop/arguments.ts";
import { TaskExit } from "../loop/errors.ts";
import { cooperate } from "../loop/event_loop.ts";
import { checkpoint, raisesTimeout } from "../loop/wait.ts";
import { observe, Task } from "../tasks/task.ts";
import { Timeout } from "../tasks/timeout.ts";
import { shownAddress } from "./_address.ts";
import { coded, failureOf } from "./_failure.ts";
import { KeepAlive } from "./_keep_alive.ts";
import { OutsideLine } from "./_outside_line.ts";
import { TcpError } from "./stream_error.ts";
import { checkTarget } from "./tcp_client.ts";

/** What answers a request. After an {@linkcode upgrade} there is nothing to answer. */
export type HttpHandler = (
  request: Request,
  info: Deno.ServeHandlerInfo<Deno.NetAddr>,
) => Response | void | Promise<Response | void>;

/** The limits of an {@linkcode HttpServer}. */
export interface HttpServerOptions {
  /** How long a request may take until it is answered, in milliseconds. Then it is killed; the answer is 503. */
  timeout?: number;
  /** How many requests are handled at once. Those beyond are answered 503. */
  maxRequests?: number;
}

/** What is known of a request that is being handled. */
interface Exchange {
  readonly answer: (response: Response) => void;
  limit: Timeout | null;
  upgraded: boolean;
  ended: () => void;
}

const exchanges = new WeakMap<Request, Exchange>();

/**
 * Answers a request that becomes something else, a WebSocket, while its task goes on.
 *
 * @param ended Is called when the task has ended.
 * @throws {TypeError} If the request is not one that is being handled by an {@linkcode HttpServer}.
 */
export function answerEarly(
  request: Request,
  makeResponse: () => Response,
  ended: () => void,
): void {
  const exchange = exchanges.get(request);
  if (exchange === undefined) {
    throw new TypeError("Cannot upgrade: this is no request that an HttpServer is handling");
  }
  // Before the response is made: making it aborts the signal of the request.
  exchange.upgraded = true;
  try {
    exchange.answer(makeResponse());
  } catch (error) {
    exchange.upgraded = false;
    throw error;
  }
  exchange.limit?.cancel();
  exchange.ended = ended;
}

/**
 * An HTTP server. Each request is handled in a task of its own, which is killed when its client goes away.
 *
 * An error in the handler is reported, and answered 500.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { cooperate, HttpServer, spawn } from "@evergreen/evergreen";
 *
 * const server = new HttpServer((request) => new Response(new URL(request.url).pathname));
 * server.bind({ hostname: "127.0.0.1", port: 0 });
 * const serving = spawn(() => server.serve());
 *
 * const response = await cooperate(fetch(`http://127.0.0.1:${server.sockname.port}/hello`));
 * assertEquals(await response.text(), "/hello");
 *
 * await server.close({ graceful: 1_000 });
 * await serving.join();
 * ```
 */
export class HttpServer {
  readonly #handler: HttpHandler;
  readonly #options: HttpServerOptions;
  readonly #tasks = new Set<Task>();
  /** Who is told when the task of a request has ended. */
  readonly #endings = new Map<Task, () => void>();
  readonly #servers = new OutsideLine<void>(
    () => "HttpServer.serve()",
    () => this.#keepAlive.release(),
  );
  readonly #keepAlive = new KeepAlive(() => this.#servers.size > 0);
  readonly #stop = new AbortController();
  #server: Deno.HttpServer<Deno.NetAddr> | null = null;
  #closing: Task | null = null;

  /**
   * Makes a server, to be bound by {@linkcode HttpServer.prototype.bind}.
   *
   * @param handler Answers a request. It runs in a task of its own.
   * @throws {TypeError} If `handler` is no function.
   */
  constructor(handler: HttpHandler, options: HttpServerOptions = {}) {
    checkCallback("make an HTTP server", handler);
    if (options.timeout !== undefined) checkDelay("make an HTTP server", options.timeout);
    if (options.maxRequests !== undefined) checkCount("maxRequests", options.maxRequests, 1);
    this.#handler = handler;
    this.#options = options;
  }

  /** Whether {@linkcode HttpServer.prototype.close} was called. */
  get closed(): boolean {
    return this.#closing !== null;
  }

  /** How many requests are being handled. */
  get active(): number {
    return this.#tasks.size;
  }

  /** The address it is bound to. */
  get sockname(): Deno.NetAddr {
    if (this.#server === null) {
      throw this.#refuse("get the address", "the server is not bound", "EINVAL");
    }
    return this.#server.addr;
  }

  /**
   * Binds it to an address; port 0 is any that is free. From then on it answers.
   *
   * @throws {TcpError} If the address cannot be had, or the server is bound or closed already.
   */
  bind(address: { hostname?: string; port: number }): void {
    checkTarget("bind", address);
    const { hostname = "0.0.0.0", port } = address;
    if (this.closed) throw this.#refuse("bind", "the server is closed", "ECLOSED");
    if (this.#server !== null) throw this.#refuse("bind", "the server is bound already", "EINVAL");
    try {
      this.#server = Deno.serve({
        hostname,
        port,
        signal: this.#stop.signal,
        onListen: () => {},
      }, (request, info) => this.#handle(request, info));
      this.#server.unref(); // While somebody serves, KeepAlive does what ref() would.
    } catch (cause) {
      const name = shownAddress({ hostname, port });
      const { why, ...options } = failureOf(cause, name);
      throw new TcpError(`Cannot bind to ${name}: ${why}`, options);
    }
  }

  /**
   * Waits until the server is closed.
   *
   * @throws {TcpError} If the server is not bound, or closed already.
   */
  async serve(): Promise<void> {
    await checkpoint();
    if (this.closed) {
      throw this.#refuse("serve", "the server is closed", "ECLOSED");
    }
    if (this.#server === null) {
      throw this.#refuse("serve", "the server is not bound; bind() it first", "EINVAL");
    }
    this.#keepAlive.hold();
    await this.#servers.wait(raisesTimeout);
  }

  /**
   * Ends the server. No client is accepted from now on. Requests that are being handled are killed at once, or
   * when the time that they are given is over.
   *
   * @param options `graceful`: how long requests may still take, in milliseconds.
   */
  async close(options?: { graceful?: number }): Promise<void> {
    const { graceful } = options ?? {};
    if (graceful !== undefined) checkDelay("close", graceful);
    const hard = graceful === undefined || graceful === 0;
    if (hard) { for (const task of [...this.#tasks]) task.kill(); }
    // In a task of its own: that whoever closes it is killed meanwhile does not stop it.
    this.#closing ??= new Task(() => hard ? this.#abort() : this.#finish(graceful), {
      name: "HttpServer.close()",
    }).start();
    await this.#closing.join();
  }

  async #abort(): Promise<void> {
    this.#stop.abort();
    await this.#ended();
  }

  async #finish(time: number): Promise<void> {
    const shutdown = this.#server?.shutdown();
    const ended = [...this.#tasks].map((task) =>
      new Promise<void>((done) => this.#endings.set(task, done))
    );
    await cooperate(Promise.all(ended), { timeout: time }).catch(ignore);
    for (const task of [...this.#tasks]) task.kill();
    await shutdown?.catch(ignore);
    await this.#ended();
  }

  async #ended(): Promise<void> {
    this.#server?.ref();
    await this.#server?.finished.catch(ignore);
    this.#servers.wakeAll();
    this.#keepAlive.release();
  }

  #handle(
    request: Request,
    info: Deno.ServeHandlerInfo<Deno.NetAddr>,
  ): Response | Promise<Response> {
    if (this.#tasks.size >= (this.#options.maxRequests ?? Infinity)) return unavailable();
    const { promise, resolve } = Promise.withResolvers<Response>();
    const { pathname } = new URL(request.url);
    const task = new Task(async () => {
      const { timeout } = this.#options;
      using limit = new Timeout(timeout, TOO_LATE).start();
      exchange.limit = limit;
      const response = await this.#handler(request, info);
      if (exchange.upgraded) return;
      if (response instanceof Response) return resolve(response);
      throw new TypeError("Cannot answer the request: its handler has returned no Response");
    }, { name: `HttpServer with ${request.method} ${pathname}` });
    const exchange: Exchange = {
      answer: resolve,
      limit: null,
      upgraded: false,
      ended: () => {},
    };
    exchanges.set(request, exchange);
    const leave = () => exchange.upgraded || task.kill();
    request.signal.addEventListener("abort", leave);
    this.#tasks.add(task);
    observe(task, (failed, error) => {
      request.signal.removeEventListener("abort", leave);
      this.#tasks.delete(task);
      exchange.ended();
      this.#endings.get(task)?.();
      this.#endings.delete(task);
      const late = error === TOO_LATE;
      const quiet = !failed || error instanceof TaskExit || late;
      resolve(quiet ? unavailable() : new Response("Internal Server Error", { status: 500 }));
      return late;
    });
    task.start();
    return promise;
  }

  #refuse(what: string, why: string, code: string): TcpError {
    return new TcpError(`Cannot ${what}: ${why}`, coded(code));
  }
}

/** What a request is killed with that takes too long. */
const TOO_LATE = new Error("The request took too long");

function unavailable(): Response {
  return new Response("Service Unavailable", { status: 503 });
}

/** The server ends all the same. */
function ignore(): void {}
