// Datagrams of 64 bytes to and fro between two endpoints of one process, one at a time.
import { createSocket, type Socket } from "node:dgram";
import { UdpEndpoint } from "../io/mod.ts";
import { compare } from "./_measure.ts";
import { report } from "./_report.ts";

const HOST = "127.0.0.1";
const message = new Uint8Array(64);

function bound(): UdpEndpoint {
  const endpoint = new UdpEndpoint();
  endpoint.bind({ hostname: HOST, port: 0 });
  return endpoint;
}

const [a, b] = [bound(), bound()];
async function ours(n: number): Promise<void> {
  for (let i = 0; i < n; i++) {
    await a.send(message, b.sockname);
    const [data, from] = await b.receive();
    await b.send(data, from);
    await a.receive();
  }
}

function socket(): Promise<Socket> {
  const socket = createSocket("udp4");
  return new Promise((resolve) => socket.bind(0, HOST, () => resolve(socket)));
}

const [x, y] = await Promise.all([socket(), socket()]);
function bare(n: number): Promise<void> {
  return new Promise((resolve) => {
    let left = n;
    y.removeAllListeners("message").on("message", (data, { port, address }) => {
      y.send(data, port, address);
    });
    x.removeAllListeners("message").on("message", () => {
      if (--left === 0) resolve();
      else x.send(message, y.address().port, HOST);
    });
    x.send(message, y.address().port, HOST);
  });
}

report({
  operation: "UDP to and fro, 64 bytes, to `node:dgram`",
  ...await compare(ours, bare, { operations: 3_000, rounds: 9, warmUp: 2 }),
  unit: "ns",
  bound: { kind: "at most", limit: 1 },
});
for (const endpoint of [a, b]) endpoint.close();
for (const plain of [x, y]) plain.close();
