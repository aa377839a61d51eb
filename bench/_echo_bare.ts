// An echo server on Deno alone, which prints its port.
import "./_processor_time.ts";

const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
console.log(listener.addr.port);
for await (const connection of listener) echo(connection);

async function echo(connection: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(65_536);
  for (;;) {
    const n = await connection.read(buffer);
    if (n === null) break;
    let written = 0;
    while (written < n) written += await connection.write(buffer.subarray(written, n));
  }
  connection.close();
}
