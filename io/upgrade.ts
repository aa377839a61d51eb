import { checkCount, checkDelay, shown } from "../loop/arguments.ts";
import { answerEarly } from "./_exchange.ts";
import { WebSocketConnection, type WebSocketLimits } from "./web_socket_connection.ts";

// Taken now: a program may put a function of its own in its place.
const { upgradeWebSocket } = Deno;

/** How {@linkcode upgrade} makes a WebSocket. */
export interface UpgradeOptions extends WebSocketLimits {
  /** The protocol to agree on; the client must have offered it. */
  protocol?: string;
  /**
   * How long nothing may come from the client, in milliseconds: when half of that has passed it is sent a ping, and
   * if it does not answer in the other half the connection is closed, and `receive()` throws with the code
   * "ETIMEDOUT". 0: for ever. Default: 30 seconds.
   */
  idleTimeout?: number;
}

/**
 * Makes a WebSocket of a request, within the handler of an `HttpServer`. The handler goes on with it, and returns
 * nothing when it is done; the WebSocket is closed then.
 *
 * The frames are read and written by the platform. It answers pings by itself, and there is no way to send one but
 * `idleTimeout`. It reads ahead of `receive()`: what nobody has received is bounded by `maxQueuedSize`, a message by
 * `maxMessageSize` once it is there, and by the platform, which takes frames of 64 MiB at the most, and any number of
 * them for one message.
 *
 * @throws {TypeError} If the request does not ask for a WebSocket, or was upgraded already.
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
  checkDelay("upgrade", idleTimeout);
  if (idleTimeout < 0) {
    throw new RangeError(`Cannot upgrade: idleTimeout must not be negative, not ${idleTimeout}`);
  }
  const seconds = idleTimeout === Infinity ? 0 : idleTimeout / 1_000;
  const connection = answerEarly(request, (peername) => {
    checkProtocol(request, protocol);
    const { socket, response } = upgradeWebSocket(request, { idleTimeout: seconds });
    if (protocol !== undefined) response.headers.set("sec-websocket-protocol", protocol);
    const limits = { maxMessageSize, maxQueuedSize };
    return [response, new WebSocketConnection(socket, peername, limits, protocol)];
  });
  await connection.opened();
  return connection;
}

/** The platform would do this, but knows no list without blanks. */
function checkProtocol(request: Request, protocol?: string): void {
  if (protocol === undefined) return;
  const offered = request.headers.get("sec-websocket-protocol") ?? "";
  if (offered.split(",").some((each) => each.trim() === protocol)) return;
  throw new TypeError(
    `Cannot upgrade: the client has not offered the protocol ${shown(protocol)}, but ${
      shown(offered)
    }`,
  );
}
