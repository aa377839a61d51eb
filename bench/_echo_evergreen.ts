// An echo server on this library, which prints its port.
import { EventLoop, spawn, type TcpConnection, TcpServer } from "../mod.ts";
import "./_processor_time.ts";

class EchoServer extends TcpServer {
  override async handleConnection(connection: TcpConnection): Promise<void> {
    for (;;) {
      const data = await connection.read();
      if (data === null) break;
      await connection.write(data);
    }
  }
}

spawn(async () => {
  const server = new EchoServer();
  server.bind({ hostname: "127.0.0.1", port: 0 });
  console.log(server.sockname.port);
  await server.serve();
});
await EventLoop.current().run();
