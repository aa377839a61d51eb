/**
 * Sends back whatever its clients send, encrypted.
 *
 * Run it with `deno run --allow-net --allow-read examples/tls_echo.ts cert.pem key.pem [port]`, then talk to it:
 * `openssl s_client -connect 127.0.0.1:1234`. Ctrl-C ends it.
 *
 * @module
 */
import { EventLoop, spawn, type TlsConnection, TlsServer } from "@evergreen/evergreen";

class EchoServer extends TlsServer {
  override async handleConnection(connection: TlsConnection): Promise<void> {
    for await (const data of connection) await connection.write(data);
  }
}

const [certFile, keyFile, port = "1234"] = Deno.args;
if (certFile === undefined || keyFile === undefined) {
  console.error("The files of a certificate and its key are needed, as PEM");
  Deno.exit(2);
}

const server = new EchoServer();
try {
  server.bind({
    hostname: "127.0.0.1",
    port: Number(port),
    cert: Deno.readTextFileSync(certFile),
    key: Deno.readTextFileSync(keyFile),
  });
} catch (error) {
  console.error((error as Error).message);
  Deno.exit(1);
}
console.log(`listening on ${server.sockname.hostname}:${server.sockname.port}`);
const loop = EventLoop.current();
loop.addSignalHandler("SIGINT", () => server.close());
spawn(() => server.serve());
await loop.run();
console.log("bye");
