import { checkCallback, checkCount, checkDelay } from "../loop/arguments.ts";
import { TaskExit } from "../loop/errors.ts";
import { cooperate, EventLoop } from "../loop/event_loop.ts";
import { checkpoint, raisesTimeout } from "../loop/wait.ts";
import { observe, Task } from "../tasks/task.ts";
import { Timeout } from "../tasks/timeout.ts";
import { shownAddress } from "./_address.ts";
import { type Exchange, exchanges, type Successor } from "./_exchange.ts";
import { coded, failureOf } from "./_failure.ts";
import { KeepAlive } from "./_keep_alive.ts";
import { OutsideLine } from "./_outside_line.ts";
import { makeBody } from "./stream_response.ts";
import { TcpError, TlsError } from "./stream_error.ts";
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
  /** How many requests are handled at once, open WebSockets among them. Those beyond are answered 503. */
  maxRequests?: number;
}

/** Where an {@linkcode HttpServer} listens; with a certificate and its key it speaks HTTPS. */
export interface HttpAddress {
  /** The address; by default all of this machine's. */
  hostname?: string;
  /** The port; 0 is any that is free. */
  port: number;
  /** The certificate, with those that lead to its authority, as PEM. */
  cert?: string;
  /** The key to it, as PEM. */
  key?: string;
}

/**
 * An HTTP server. Each request is handled in a task of its own, which is killed when its client goes away.
 *
 * An error in the handler is reported, and answered 500. A handler that reads the body with `cooperate(request.text())`
 * can be killed while that comes; a body that is made of what it waits for is a {@linkcode streamResponse}, and
 * belongs to the task too; any other is sent by the platform when the task has ended, and what it is made of is told
 * by its `cancel` when the client has gone.
 *
 * The platform sets no limit to the time that a client takes for the head of its request, nor for reading the answer;
 * such clients hold up nobody, and `close()` ends them.
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
  /** The WebSockets that have not ended. */
  readonly #successors = new Set<Successor>();
  readonly #servers = new OutsideLine<void>(
    () => "HttpServer.serve()",
    () => this.#keepAlive.release(),
  );
  readonly #keepAlive = new KeepAlive(() => this.#servers.size > 0);
  /** Who waits until all answers are sent. */
  readonly #quiet = new OutsideLine<void>(() => "the answers of an HttpServer to be sent");
  /** Stops the platform's server. */
  readonly #stop = new AbortController();
  /** Aborts when what goes on is not waited for any more. */
  readonly #hard = new AbortController();
  #unsent = 0;
  #shutting = false;
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
   * Binds it to an address; port 0 is any that is free. From then on it answers: HTTP/1 and 2, and HTTPS if it is
   * given a certificate.
   *
   * @throws {TcpError} If the address cannot be had, or the server is bound or closed already.
   * @throws {TlsError} With a certificate, if that or the key is none, or the address cannot be had.
   * @throws {TypeError} If there is one of certificate and key without the other.
   */
  bind(address: HttpAddress): void {
    checkTarget("bind", address);
    const { hostname = "0.0.0.0", port, cert, key } = address;
    if ((cert === undefined) !== (key === undefined)) {
      throw new TypeError("Cannot bind: a certificate needs its key, and a key its certificate");
    }
    if (this.closed) throw this.#refuse("bind", "the server is closed", "ECLOSED");
    if (this.#server !== null) throw this.#refuse("bind", "the server is bound already", "EINVAL");
    try {
      this.#server = Deno.serve({
        hostname,
        port,
        ...(cert === undefined ? {} : { cert, key }),
        signal: this.#stop.signal,
        onListen: () => {},
      }, (request, info) => this.#handle(request, info));
      this.#server.unref(); // While somebody serves, KeepAlive does what ref() would.
    } catch (cause) {
      const name = shownAddress({ hostname, port });
      const { why, ...options } = failureOf(cause, name);
      const Class = cert === undefined ? TcpError : TlsError;
      throw new Class(`Cannot bind to ${name}: ${why}`, options);
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
   * Ends the server. No request is taken from now on. Requests that are being handled are killed at once, with their
   * connections; or when the time that they are given is over, and then what is still being sent is cut off too.
   * WebSockets are told to go, with the code 1001, when that time begins.
   *
   * @param options `graceful`: how long requests may still take, in milliseconds.
   */
  async close(options?: { graceful?: number }): Promise<void> {
    const { graceful = 0 } = options ?? {};
    checkDelay("close", graceful);
    if (graceful <= 0) this.#abort();
    // In a task of its own: that whoever closes it is killed meanwhile does not stop it.
    this.#closing ??= new Task(() => this.#finish(graceful), { name: "HttpServer.close()" })
      .start();
    await this.#closing.join();
  }

  /** Cuts off all that goes on. */
  #abort(): void {
    for (const task of [...this.#tasks]) task.kill();
    this.#hard.abort();
    // Once it is being shut down, the platform cannot be stopped any more.
    if (!this.#shutting) this.#stop.abort();
  }

  async #finish(time: number): Promise<void> {
    const server = this.#server;
    if (server !== null && time > 0) {
      try {
        await new Timeout(time, false).run(() => this.#settle(server));
      } catch (error) {
        if (!this.#hard.signal.aborted) throw error;
      }
      this.#abort();
    }
    server?.ref();
    if (!this.#shutting) await server?.finished.catch(ignore);
    this.#servers.wakeAll();
    this.#keepAlive.release();
  }

  /** Lets all that goes on come to its end; a hard close() meanwhile ends this. */
  async #settle(server: Deno.HttpServer): Promise<void> {
    const { signal } = this.#hard;
    for (const successor of this.#successors) successor.retire();
    // The platform is told when nothing is left to do: it drops the WebSockets that are open when it is shut down,
    // and from then on a client that reads slowly, or does not send what it has announced, could hold it up for ever.
    while (this.#successors.size > 0) {
      await cooperate(Promise.all([...this.#successors].map(({ gone }) => gone)), { signal });
    }
    for (const task of this.#tasks) await task.join({ signal });
    while (this.#unsent > 0) await this.#quiet.wait(raisesTimeout, { signal });
    this.#shutting = true;
    await cooperate(server.shutdown(), { signal });
  }

  readonly #sent = (): void => {
    if (--this.#unsent === 0) this.#quiet.wakeAll();
  };

  readonly #adopt = (successor: Successor): void => {
    this.#successors.add(successor);
    void successor.gone.then(() => this.#successors.delete(successor));
    if (this.closed) successor.retire();
  };

  #handle(
    request: Request,
    info: Deno.ServeHandlerInfo<Deno.NetAddr>,
  ): Response | Promise<Response> {
    const { timeout, maxRequests = Infinity } = this.#options;
    if (this.closed || this.#tasks.size >= maxRequests) return unavailable();
    const { promise, resolve } = Promise.withResolvers<Response>();
    const { pathname } = new URL(request.url);
    const name = `HttpServer with ${request.method} ${pathname}`;
    const task: Task = new Task(() => this.#answer(request, exchange), { name });
    const exchange: Exchange = {
      info,
      answered: false,
      answer(response) {
        if (this.answered) return;
        this.answered = true;
        this.limit?.cancel();
        resolve(response);
      },
      limit: null,
      successor: null,
      upgrading: false,
      adopt: this.#adopt,
    };
    if (timeout !== undefined) {
      exchange.limit = EventLoop.current().callLater(timeout, () => {
        // At once: the task may wait for what no kill can interrupt, a body that its client never sends.
        exchange.answer(unavailable());
        task.kill(TOO_LATE);
      });
    }
    exchanges.set(request, exchange);
    this.#unsent++;
    void info.completed.then(this.#sent, this.#sent);
    const leave = () => exchange.upgrading || task.kill();
    request.signal.addEventListener("abort", leave);
    this.#tasks.add(task);
    observe(task, (failed, error) => {
      request.signal.removeEventListener("abort", leave);
      this.#tasks.delete(task);
      const late = error === TOO_LATE;
      const spoilt = isSpoiltBody(error);
      const quiet = !failed || error instanceof TaskExit || late || spoilt;
      exchange.successor?.close(quiet ? undefined : INTERNAL_ERROR);
      if (spoilt) exchange.answer(new Response("Bad Request", { status: 400 }));
      exchange.answer(
        quiet ? unavailable() : new Response("Internal Server Error", { status: 500 }),
      );
      return late || spoilt;
    });
    task.start();
    return promise;
  }

  /** What the task of a request does. */
  async #answer(request: Request, exchange: Exchange): Promise<void> {
    const response = await this.#handler(request, exchange.info);
    const { successor } = exchange;
    if (successor !== null) return await successor[Symbol.asyncDispose]();
    if (!(response instanceof Response)) {
      throw new TypeError("Cannot answer the request: its handler has returned no Response");
    }
    // It came too late: a file that it gives out has to be closed.
    if (exchange.answered) return void response.body?.cancel().catch(ignore);
    exchange.answer(response);
    await makeBody(response);
  }

  #refuse(what: string, why: string, code: string): TcpError {
    const address = this.#server === null ? undefined : shownAddress(this.#server.addr);
    return new TcpError(`Cannot ${what}: ${why}`, coded(code, address));
  }
}

/** What a WebSocket is closed with whose handler has failed. */
const INTERNAL_ERROR = 1011;
/** What a request is killed with that takes too long. */
const TOO_LATE = new Error("The request took too long");

/**
 * Whether it is what the platform throws out of the reading of a body when the client goes, or sends something else
 * than it has announced. That comes before the signal of the request aborts.
 */
function isSpoiltBody(error: unknown): boolean {
  return error instanceof Deno.errors.BadResource && /^Cannot read body/.test(error.message);
}

function unavailable(): Response {
  return new Response("Service Unavailable", { status: 503 });
}

/** The server ends all the same. */
function ignore(): void {}
