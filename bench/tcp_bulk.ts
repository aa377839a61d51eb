// One gigabyte through a connection that is copied back: a read and a write for each piece.
import { TcpClient, type TcpConnection, TcpServer } from "../io/mod.ts";
import { EventLoop } from "../loop/mod.ts";
import { spawn } from "../tasks/mod.ts";
import { median } from "./_measure.ts";
import { report } from "./_report.ts";

const TOTAL = 1_000_000_000;
const ROUNDS = 5;

class ReadServer extends TcpServer {
  override async handleConnection(connection: TcpConnection): Promise<void> {
    for (let data = await connection.read(); data !== null; data = await connection.read()) {
      await connection.write(data);
    }
  }
}

class ReadIntoServer extends TcpServer {
  override async handleConnection(connection: TcpConnection): Promise<void> {
    const buffer = new Uint8Array(65_536);
    for (
      let n = await connection.readInto(buffer);
      n !== null;
      n = await connection.readInto(buffer)
    ) {
      await connection.write(buffer.subarray(0, n));
    }
  }
}

async function bare(connection: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(65_536);
  for (let n = await connection.read(buffer); n !== null; n = await connection.read(buffer)) {
    for (let written = 0; written < n;) {
      written += await connection.write(buffer.subarray(written, n));
    }
  }
  connection.close();
}

/** Megabytes per second, of a client that is the same for both. */
async function throughput(port: number): Promise<number> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const block = new Uint8Array(65_536);
  const begin = performance.now();
  const sending = (async () => {
    for (let sent = 0; sent < TOTAL;) sent += await connection.write(block);
    await connection.closeWrite();
  })();
  const buffer = new Uint8Array(262_144);
  while (await connection.read(buffer) !== null);
  await sending;
  connection.close();
  return TOTAL / 1_000 / (performance.now() - begin);
}

spawn(async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  (async () => {
    for await (const connection of listener) bare(connection);
  })();
  const servers = { read: new ReadServer(), readInto: new ReadIntoServer() };
  for (const server of Object.values(servers)) {
    server.bind({ hostname: "127.0.0.1", port: 0 });
    spawn(() => server.serve());
    // A client of the library once, so that its code is there for all.
    const probe = new TcpClient();
    await probe.connect(server.sockname);
    probe.close();
  }
  const measured: Record<"read" | "readInto" | "floor", number[]> = {
    read: [],
    readInto: [],
    floor: [],
  };
  for (let round = -1; round < ROUNDS; round++) {
    const now = {
      read: await throughput(servers.read.sockname.port),
      readInto: await throughput(servers.readInto.sockname.port),
      floor: await throughput(listener.addr.port),
    };
    if (round < 0) continue;
    for (const which of ["read", "readInto", "floor"] as const) {
      measured[which].push(now[which] * 1e6);
    }
  }
  for (const which of ["readInto", "read"] as const) {
    report({
      operation: `1 GB copied back by \`${which}()\`, bytes, to a loop on \`Deno.listen\``,
      ours: median(measured[which]),
      floor: median(measured.floor),
      unit: "per second",
      bound: { kind: "at least", limit: 0.95 },
    });
  }
  listener.close();
  for (const server of Object.values(servers)) server.close();
});
await EventLoop.current().run();
