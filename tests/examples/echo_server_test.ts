import { assertEquals, assertMatch } from "@std/assert";
import { TcpClient } from "../../mod.ts";

const EXAMPLE = new URL("../../examples/echo_server.ts", import.meta.url).href;

function start(...args: string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-net", "--quiet", EXAMPLE, ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

Deno.test("examples/echo_server.ts echoes to many clients, and Ctrl-C ends it", async () => {
  const process = start("0");
  const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const first = (await reader.read()).value!;
  assertMatch(first, /^listening on 127\.0\.0\.1:\d+\n$/);
  const target = { hostname: "127.0.0.1", port: Number(first.trim().split(":")[1]) };
  const clients = await Promise.all(Array.from({ length: 20 }, async () => {
    const client = new TcpClient();
    await client.connect(target);
    return client;
  }));
  await Promise.all(clients.map(async (client, i) => {
    await client.write(`hello ${i}\n`);
    const line = await client.readUntil("\n");
    assertEquals(new TextDecoder().decode(line!), `hello ${i}\n`);
  }));
  process.kill("SIGINT");
  let output = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) output += part.value;
  assertMatch(output, /bye\n$/);
  assertEquals((await process.status).code, 0);
  assertEquals(await new Response(process.stderr).text(), "");
  for (const client of clients) client.close();
});

Deno.test("examples/echo_server.ts refuses a port that is none, and one that is taken", async () => {
  const wrong = await start("http").output();
  assertEquals(wrong.code, 2);
  assertMatch(new TextDecoder().decode(wrong.stderr), /The port must be a number/);
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const taken = await start(String(listener.addr.port)).output();
  listener.close();
  assertEquals(taken.code, 1);
  assertMatch(
    new TextDecoder().decode(taken.stderr),
    /^Cannot bind to 127\.0\.0\.1:\d+: Address already in use\n$/,
  );
});
