import { checkCount, shown } from "../loop/arguments.ts";
import { checkpoint, raisesTimeout, type WaitOptions } from "../loop/wait.ts";
import { sleep } from "../tasks/sleep.ts";
import { coded } from "./_failure.ts";
import { answerEarly } from "./http_server.ts";
import { OutsideLine } from "./_outside_line.ts";
import { StreamError } from "./stream_error.ts";

/** How {@linkcode upgrade} makes a WebSocket. */
export interface UpgradeOptions {
  /** The protocol to agree on; the client must have offered it. */
  protocol?: string;
  /** How many bytes a message may have. The connection is closed with code 1009 on a bigger one. Default: 1 MiB. */
  maxMessageSize?: number;
  /** How many bytes may be waiting to be received. The connection is closed with code 1008 beyond. Default: 16 MiB. */
  maxQueuedSize?: number;
  /**
   * How long nothing may come from the client, in milliseconds; it is sent a ping then, and the connection closed
   * if it does not answer. 0: for ever. Default: 30 seconds.
   */
  idleTimeout?: number;
}

/** A send waits while more than this is buffered. */
const HIGH_WATER = 1_048_576;
/** How often a send that waits looks whether less is, in milliseconds: the platform does not tell. */
const INTERVAL = 5;

/**
 * Makes a WebSocket of a request, within the handler of an `HttpServer`. The handler goes on with it, and returns
 * nothing when it is done; the WebSocket is closed then.
 *
 * @throws {TypeError} If the request does not ask for a WebSocket.
 * @throws {StreamError} If the client goes away before it is open.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { cooperate, HttpServer, spawn, upgrade } from "@evergreen/evergreen";
 *
 * const server = new HttpServer(async (request) => {
 *   await using socket = await upgrade(request);
 *   for await (const message of socket) await socket.send(message);
 * });
 * server.bind({ hostname: "127.0.0.1", port: 0 });
 * spawn(() => server.serve());
 *
 * const client = new WebSocket(`ws://127.0.0.1:${server.sockname.port}`);
 * client.onopen = () => client.send("hello");
 * const answer = new Promise((resolve) => client.onmessage = ({ data }) => resolve(data));
 * assertEquals(await cooperate(answer), "hello");
 * await cooperate(new Promise((resolve) => (client.onclose = resolve, client.close())));
 * await server.close();
 * ```
 */
export async function upgrade(
  request: Request,
  options: UpgradeOptions = {},
): Promise<WebSocketConnection> {
  const { protocol, idleTimeout = 30_000 } = options;
  const { maxMessageSize = 1_048_576, maxQueuedSize = 16_777_216 } = options;
  checkCount("maxMessageSize", maxMessageSize, 1);
  checkCount("maxQueuedSize", maxQueuedSize, 1);
  let connection: WebSocketConnection;
  answerEarly(request, () => {
    const { socket, response } = Deno.upgradeWebSocket(request, {
      protocol,
      idleTimeout: Math.ceil(idleTimeout / 1_000),
    });
    connection = new WebSocketConnection(socket, maxMessageSize, maxQueuedSize);
    return response;
  }, () => connection.close());
  await connection!.opened();
  return connection!;
}

/** A WebSocket whose calls block. Made by {@linkcode upgrade}. */
export class WebSocketConnection implements AsyncDisposable, AsyncIterable<string | Uint8Array> {
  readonly #socket: WebSocket;
  readonly #waiting = new OutsideLine<string | Uint8Array | null>(() => "WebSocket.receive()");
  readonly #opening = new OutsideLine<void>(() => "upgrade() to a WebSocket");
  #messages: (string | Uint8Array)[] = [];
  #size = 0;
  #failure: string | null = null;
  #ended = false;

  /** Not for general use: see {@linkcode upgrade}. */
  constructor(socket: WebSocket, maxMessageSize: number, maxQueuedSize: number) {
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#opening.wakeAll();
    socket.onmessage = ({ data }) => {
      const message = typeof data === "string" ? data : new Uint8Array(data);
      const size = sizeOf(message);
      if (size > maxMessageSize) {
        return this.#fail(1009, `a message is over ${maxMessageSize} bytes`);
      }
      const receiver = this.#waiting.first;
      if (receiver !== null) return receiver.wake(message);
      this.#messages.push(message);
      this.#size += size;
      if (this.#size > maxQueuedSize) {
        this.#fail(1008, `more than ${maxQueuedSize} bytes are waiting to be received`);
      }
    };
    socket.onerror = (event) => {
      event.preventDefault();
      this.#failure ??= (event as ErrorEvent).message || "the connection failed";
    };
    socket.onclose = () => this.#end();
  }

  /** Whether it is closed, by whichever side. */
  get closed(): boolean {
    return this.#ended || this.#socket.readyState >= WebSocket.CLOSING;
  }

  /** The protocol that was agreed on; empty if none was. */
  get protocol(): string {
    return this.#socket.protocol;
  }

  /** How many bytes were sent that the system has not taken yet. */
  get buffered(): number {
    return this.#socket.bufferedAmount;
  }

  /** Waits until it is open. {@linkcode upgrade} has done this. */
  async opened(options?: WaitOptions): Promise<void> {
    await checkpoint(options);
    if (this.#socket.readyState === WebSocket.CONNECTING) {
      await this.#opening.wait(raisesTimeout, options);
    }
    if (this.#ended) throw this.#error("open", this.#failure ?? "the client is gone", "ECONNRESET");
  }

  /**
   * Waits for a message.
   *
   * @returns The message, or `null` when the other side has closed.
   * @throws {StreamError} If a message, or all that are waiting, are too big, or the connection fails.
   * @throws {TimeoutError} If none comes within `options.timeout`.
   */
  receive(options?: WaitOptions): Promise<string | Uint8Array | null> {
    const refused = checkpoint(options);
    if (refused !== undefined) return refused;
    const message = this.#messages.shift();
    if (message !== undefined) {
      this.#size -= sizeOf(message);
      return Promise.resolve(message);
    }
    if (this.#failure !== null) {
      return Promise.reject(this.#error("receive", this.#failure, "ECONNRESET"));
    }
    if (this.closed) return Promise.resolve(null);
    return this.#waiting.wait(raisesTimeout, options);
  }

  /**
   * Sends a message, and waits while too much is buffered. If that wait ends early, the message is sent all the
   * same.
   *
   * @throws {StreamError} If it is closed.
   * @throws {TimeoutError} If too much is still buffered after `options.timeout`.
   */
  async send(message: string | Uint8Array, options?: WaitOptions): Promise<void> {
    await checkpoint(options);
    if (typeof message !== "string" && !(message instanceof Uint8Array)) {
      throw new TypeError(`Cannot send: a string or a Uint8Array is needed, not ${shown(message)}`);
    }
    if (this.closed) throw this.#error("send", "the WebSocket is closed", "ECLOSED");
    this.#socket.send(message as Uint8Array<ArrayBuffer>);
    let left = options?.timeout ?? Infinity;
    while (this.#socket.bufferedAmount > HIGH_WATER && !this.closed) {
      if (left <= 0) return await raisesTimeout.atOnce();
      await sleep(Math.min(INTERVAL, left), { signal: options?.signal });
      left -= INTERVAL;
    }
  }

  /** Closes it. What was sent arrives before. Again, it does nothing. */
  close(code = 1000, reason = ""): void {
    if (!this.closed) this.#socket.close(code, reason);
  }

  /** {@linkcode WebSocketConnection.prototype.close} */
  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  /** Receives until the other side closes. */
  async *[Symbol.asyncIterator](): AsyncIterator<string | Uint8Array> {
    for (let m = await this.receive(); m !== null; m = await this.receive()) yield m;
  }

  #fail(code: number, why: string): void {
    this.#failure ??= why;
    this.close(code, why);
    this.#end();
  }

  #end(): void {
    this.#ended = true;
    this.#opening.wakeAll();
    const failure = this.#failure;
    if (failure === null) this.#waiting.wakeAll(null);
    else this.#waiting.raiseAll(() => this.#error("receive", failure, "ECONNRESET"));
  }

  #error(what: string, why: string, code: string): StreamError {
    return new StreamError(`Cannot ${what}: ${why}`, coded(code));
  }
}

function sizeOf(message: string | Uint8Array): number {
  return message.length;
}
