/**
 * One process that serves a web page, the data it asks for, and a WebSocket by which all who look at it talk to
 * each other.
 *
 * Run it with `deno run --allow-net --allow-read examples/web_app.ts [port]`, and open the address that it prints.
 * Ctrl-C ends it.
 *
 * @module
 */
import {
  EventLoop,
  HttpServer,
  serveFiles,
  spawn,
  StreamError,
  upgrade,
  type WebSocketConnection,
} from "@evergreen/evergreen";

const files = new URL("./web_app/", import.meta.url);
const sockets = new Set<WebSocketConnection>();
let messages = 0;

async function talk(request: Request): Promise<void> {
  await using socket = await upgrade(request, { maxMessageSize: 1_000 });
  sockets.add(socket);
  try {
    for await (const message of socket) {
      messages++;
      for (const other of sockets) spawn(() => other.send(message).catch(ignoreFailure));
    }
  } catch (error) {
    ignoreFailure(error);
  } finally {
    sockets.delete(socket);
  }
}

function ignoreFailure(error: unknown): void {
  if (!(error instanceof StreamError)) throw error;
}

const server = new HttpServer((request) => {
  switch (new URL(request.url).pathname) {
    case "/talk":
      return request.headers.get("upgrade") === "websocket"
        ? talk(request)
        : new Response("This is for WebSockets\n", { status: 426 });
    case "/status":
      return Response.json({ connected: sockets.size, messages });
    default:
      return serveFiles(request, files);
  }
}, { timeout: 10_000, maxRequests: 1_000 });

try {
  server.bind({ hostname: "127.0.0.1", port: Number(Deno.args[0] ?? 8080) });
} catch (error) {
  console.error((error as Error).message);
  Deno.exit(1);
}
console.log(`listening on http://127.0.0.1:${server.sockname.port}/`);
const loop = EventLoop.current();
loop.addSignalHandler("SIGINT", () => {
  spawn(() => server.close({ graceful: 1_000 }));
});
spawn(() => server.serve());
await loop.run();
console.log("bye");
