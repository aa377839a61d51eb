/**
 * Sends back whatever its clients send, each client in a task of its own.
 *
 * Run it with `deno run --allow-net examples/echo_server.ts [port]`, then talk to it: `nc 127.0.0.1 1234`.
 * Ctrl-C ends it.
 *
 * @module
 */
import { EventLoop, spawn, type TcpConnection, TcpServer } from "@evergreen/evergreen";

class EchoServer extends TcpServer {
  override async handleConnection(connection: TcpConnection): Promise<void> {
    const { hostname, port } = connection.peername;
    console.log(`connection from ${hostname}:${port}`);
    for await (const data of connection) await connection.write(data);
    console.log(`${hostname}:${port} has left`);
  }
}

const port = Number(Deno.args[0] ?? 1234);
if (!Number.isInteger(port) || port < 0 || port > 65_535) {
  console.error(`The port must be a number from 0 to 65535, not ${Deno.args[0]}`);
  Deno.exit(2);
}

const loop = EventLoop.current();
const server = new EchoServer();
try {
  server.bind({ hostname: "127.0.0.1", port });
} catch (error) {
  console.error((error as Error).message);
  Deno.exit(1);
}
console.log(`listening on ${server.sockname.hostname}:${server.sockname.port}`);
loop.addSignalHandler("SIGINT", () => server.close());
spawn(() => server.serve());
await loop.run();
console.log("bye");
