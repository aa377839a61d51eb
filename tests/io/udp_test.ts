import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  Event,
  EventLoop,
  lib,
  sleep,
  spawn,
  TimeoutError,
  UdpEndpoint,
  UdpError,
} from "../../mod.ts";
import { text } from "./_scripted.ts";

function bound(hostname = "127.0.0.1"): UdpEndpoint {
  const endpoint = new UdpEndpoint();
  endpoint.bind({ hostname, port: 0 });
  return endpoint;
}

for (const hostname of ["127.0.0.1", "::1"]) {
  Deno.test(`datagrams go both ways over ${hostname}, to one that is bound and one that is not`, async () => {
    using server = bound(hostname);
    using client = new UdpEndpoint();
    assert(server.sockname.port > 0);
    assertEquals(server.sockname.hostname, hostname);
    assertEquals(await client.send("ping", server.sockname), true);
    const [data, from] = await server.receive();
    assertEquals([text(data), from.port], ["ping", client.sockname.port]);
    assertEquals(await server.send(new Uint8Array([1, 2]), from), true);
    assertEquals((await client.receive())[0], new Uint8Array([1, 2]));
  });
}

Deno.test("datagrams that arrive while nobody receives are kept, in order", async () => {
  using server = bound();
  using client = new UdpEndpoint();
  for (let i = 0; i < 100; i++) client.send(String(i), server.sockname);
  await client.flush();
  const got: (string | null)[] = [];
  while (got.length < 100) got.push(text((await server.receive())[0]));
  assertEquals(got, Array.from({ length: 100 }, (_, i) => String(i)));
});

Deno.test("a receive that is killed, times out or is aborted loses nothing", async () => {
  using server = bound();
  using client = new UdpEndpoint();
  const receiver = spawn(() => server.receive());
  await sleep(0);
  receiver.kill();
  await receiver.join();
  await assertRejects(() => server.receive({ timeout: 1 }), TimeoutError);
  await assertRejects(() => server.receive({ timeout: 0 }), TimeoutError);
  const abort = new AbortController();
  spawn(() => abort.abort(new Error("enough")));
  await assertRejects(() => server.receive({ signal: abort.signal }), Error, "enough");
  await client.send("kept", server.sockname);
  assertEquals(text((await server.receive())[0]), "kept");
});

Deno.test("receivers are served in the order in which they came", async () => {
  using server = bound();
  using client = new UdpEndpoint();
  const log: string[] = [];
  const receivers = ["a", "b"].map((name) =>
    spawn(async () => log.push(name + text((await server.receive())[0])))
  );
  await sleep(0);
  await client.send("1", server.sockname);
  await client.send("2", server.sockname);
  for (const receiver of receivers) await receiver.join();
  assertEquals(log, ["a1", "b2"]);
});

Deno.test("iterating gives datagrams until the endpoint is closed", async () => {
  const server = bound();
  using client = new UdpEndpoint();
  await client.send("one", server.sockname);
  const got: (string | null)[] = [];
  for await (const [data] of server) {
    got.push(text(data));
    server.close();
  }
  assertEquals(got, ["one"]);
});

Deno.test("close() ends whoever waits with ECLOSED, and whoever comes", async () => {
  const endpoint = bound();
  const waiting = assertRejects(() => endpoint.receive(), UdpError);
  const { sockname } = endpoint;
  endpoint.close();
  endpoint.close();
  assert(endpoint.closed);
  assertEquals((await waiting).code, "ECLOSED");
  for (
    const call of [
      () => endpoint.receive(),
      () => endpoint.send("x", sockname),
      () => endpoint.flush(),
    ]
  ) assertEquals((await assertRejects(call, UdpError)).code, "ECLOSED");
  assertEquals(assertThrows(() => endpoint.bind({ port: 0 }), UdpError).code, "ECLOSED");
  assertEquals(assertThrows(() => endpoint.sockname, UdpError).code, "ECLOSED");
});

Deno.test("a datagram that is too big, and an address that is taken, are errors with codes", async () => {
  using server = bound();
  using client = new UdpEndpoint();
  const error = await assertRejects(
    () => client.send(new Uint8Array(70_000), server.sockname),
    UdpError,
    "Cannot send to 127.0.0.1",
  );
  assertEquals([error.code, error.errno, error.name], ["EMSGSIZE", 90, "UdpError"]);
  const other = new UdpEndpoint();
  const taken = assertThrows(() => other.bind(server.sockname), UdpError, "Cannot bind to");
  assertEquals([taken.code, taken.errno], ["EADDRINUSE", 98]);
  other.close();
});

Deno.test("arguments that make no sense are refused", async () => {
  using endpoint = new UdpEndpoint();
  assertEquals((await assertRejects(() => endpoint.receive(), UdpError)).code, "EINVAL");
  assertEquals(assertThrows(() => endpoint.sockname, UdpError).code, "EINVAL");
  assertThrows(() => endpoint.bind({ hostname: "127.0.0.1", port: 70_000 }), RangeError);
  assertThrows(() => endpoint.bind({ hostname: "example.com", port: 0 }), RangeError);
  await assertRejects(
    () => endpoint.send(5 as never, { hostname: "127.0.0.1", port: 1 }),
    TypeError,
  );
  for (const port of [-1, 0]) {
    await assertRejects(() => endpoint.send("x", { hostname: "127.0.0.1", port }), RangeError);
  }
  await assertRejects(() => endpoint.send("x", { port: 1 } as never), TypeError);
  await assertRejects(() => endpoint.send("x", undefined as never), TypeError);
  endpoint.bind({ hostname: "127.0.0.1", port: 0 });
  assertEquals(assertThrows(() => endpoint.bind({ port: 0 }), UdpError).code, "EINVAL");
});

Deno.test("multicast arrives at those who have joined the group", async () => {
  const group = "239.255.11.22";
  using server = new UdpEndpoint();
  server.bind({ hostname: "0.0.0.0", port: 0 }, { reuseAddress: true });
  server.joinMulticast(group, "127.0.0.1");
  using client = bound();
  client.setMulticastLoopback(true);
  client.setMulticastTtl(1);
  client.setTtl(8);
  client.setBroadcast(true);
  await client.send("to all", { hostname: group, port: server.sockname.port });
  assertEquals(text((await server.receive({ timeout: 2_000 }))[0]), "to all");
  server.leaveMulticast(group, "127.0.0.1");
});

Deno.test({
  name: "a broadcast arrives, once it is allowed",
  ignore: Deno.build.os !== "linux", // Only there the loopback interface has a broadcast address.
  async fn() {
    using server = bound("0.0.0.0");
    using client = bound("0.0.0.0");
    const everybody = { hostname: "127.255.255.255", port: server.sockname.port };
    const error = await assertRejects(
      () => client.send("to all", everybody),
      UdpError,
      "setBroadcast(true)",
    );
    assertEquals([error.code, error.errno], ["EACCES", 13]);
    client.setBroadcast(true);
    await client.send("to all", everybody);
    const [data, from] = await server.receive({ timeout: 5_000 });
    assertEquals([text(data), from.port], ["to all", client.sockname.port]);
  },
});

/** Makes a network of its own, with an interface that can do everything. */
const NETWORK = `ip link set lo up && ip link add v0 type veth peer name v1 &&
  ip link set v0 up && ip link set v1 up && ip addr add 10.9.9.1/24 brd + dev v0 &&
  ip -6 addr add fd09::1/64 dev v0 nodad && ip route add default dev v0`;

function canMakeNetworks(): boolean {
  if (Deno.build.os !== "linux") return false;
  try {
    const args = ["-Urn", "sh", "-c", NETWORK];
    return new Deno.Command("unshare", { args, stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

Deno.test({
  name: "in a network of their own, a broadcast to all networks and IPv6 multicast arrive",
  ignore: !canMakeNetworks(),
  async fn() {
    const library = new URL("../../mod.ts", import.meta.url).href;
    const program = `
      import { UdpEndpoint } from "${library}";
      const bound = (hostname) => {
        const endpoint = new UdpEndpoint();
        endpoint.bind({ hostname, port: 0 });
        return endpoint;
      };
      const arrive = async (from, to, hostname) => {
        await from.send("to all", { hostname, port: to.sockname.port });
        const [data, address] = await to.receive({ timeout: 5000 });
        console.log(hostname, new TextDecoder().decode(data), address.port === from.sockname.port);
      };
      const [a, b, c, d] = ["0.0.0.0", "0.0.0.0", "::", "::"].map(bound);
      a.setBroadcast(true);
      await arrive(a, b, "255.255.255.255");
      await arrive(a, b, "10.9.9.255");
      d.joinMulticast("ff02::1234", "::%v0");
      c.setMulticastInterface("::%v0");
      c.setMulticastLoopback(true);
      await arrive(c, d, "ff02::1234");
      d.leaveMulticast("ff02::1234", "::%v0");
      for (const endpoint of [a, b, c, d]) endpoint.close();
    `;
    // An IPv6 address of a new interface takes a moment until it can be used.
    const args = ["-Urn", "sh", "-c", `${NETWORK} && sleep 0.5 && "$0" eval "$1"`];
    const { stdout, stderr } = await new Deno.Command("unshare", {
      args: [...args, Deno.execPath(), program],
      env: { NO_COLOR: "1" },
    }).output();
    assertEquals([text(stdout), text(stderr)], [
      "255.255.255.255 to all true\n10.9.9.255 to all true\nff02::1234 to all true\n",
      "",
    ]);
  },
});

Deno.test("an address of another kind than the endpoint's is refused", async () => {
  using endpoint = bound();
  const error = await assertRejects(
    () => endpoint.send("x", { hostname: "::1", port: 1 }),
    UdpError,
    "bound to an IPv4 address",
  );
  assertEquals([error.code, error.errno, error.address], ["EAFNOSUPPORT", 97, "[::1]:1"]);
});

Deno.test("an endpoint that is left open does not keep a program alive, one that is waited on does", async () => {
  const library = new URL("../../mod.ts", import.meta.url).href;
  const run = (body: string) =>
    new Deno.Command(Deno.execPath(), {
      args: ["eval", `import { UdpEndpoint, spawn, sleep } from "${library}"; ${body}`],
    }).output();
  const idle = await run(
    `const e = new UdpEndpoint(); e.bind({ hostname: "127.0.0.1", port: 0 });
     await e.send("x", e.sockname); await e.receive(); console.log("done");`,
  );
  assertEquals([idle.code, text(idle.stdout)], [0, "done\n"]);
  const waiting = await run(
    `const e = new UdpEndpoint(); e.bind({ hostname: "127.0.0.1", port: 0 });
     setTimeout(() => e.send("late", e.sockname).then(() => {}), 100).unref?.();
     Deno.unrefTimer;
     const [d] = await e.receive(); console.log(new TextDecoder().decode(d));`,
  );
  assertEquals([waiting.code, text(waiting.stdout)], [0, "late\n"]);
});

Deno.test("an endpoint can be watched: for a datagram, for being through with sending, and for its end", async () => {
  const { select } = lib.select;
  using server = bound();
  using client = bound();
  assertEquals(await select([server, client], [client], { timeout: 0 }), [[], [client]]);
  assertEquals(await select([server, client], [], { timeout: 5 }), [[], []]);
  const waiting = spawn(async () => assertEquals((await select([server, client]))[0], [server]));
  await sleep(0);
  await client.send("1", server.sockname);
  assert(await waiting.join({ timeout: 10_000 }));
  // Nothing was taken.
  assertEquals(await select([server], [], { timeout: 0 }), [[server], []]);
  assertEquals(text((await server.receive({ timeout: 0 }))[0]), "1");
  assertEquals(await select([server], [], { timeout: 0 }), [[], []]);
  client.send("2", server.sockname);
  assertEquals(await select([], [client]), [[], [client]]);
  assertEquals(text((await server.receive())[0]), "2");
  const ended = spawn(async () => assertEquals((await select([client]))[0], [client]));
  await sleep(0);
  client.close();
  assert(await ended.join({ timeout: 10_000 }));
});

Deno.test("a reader of an endpoint is called for each turn in which a datagram is there, until it is removed", async () => {
  const loop = EventLoop.current();
  using server = bound();
  using client = new UdpEndpoint();
  const got: (string | null)[] = [];
  const all = new Event();
  loop.addReader(server, () => {
    void server.receive().then(([data]) => {
      if (got.push(text(data)) === 3) all.set();
    });
  });
  for (const each of ["a", "b", "c"]) await client.send(each, server.sockname);
  assert(await all.wait({ timeout: 10_000 }));
  assertEquals(got, ["a", "b", "c"]);
  assert(loop.removeReader(server));
  await client.send("d", server.sockname);
  assertEquals(text((await server.receive({ timeout: 10_000 }))[0]), "d");
  assertEquals(got.length, 3);
});

Deno.test("a little datagram does not keep memory for the largest there can be", async () => {
  const endpoint = new UdpEndpoint();
  endpoint.bind({ hostname: "127.0.0.1", port: 0 });
  await endpoint.send("little", endpoint.sockname);
  const [data] = await endpoint.receive();
  assertEquals(new TextDecoder().decode(data), "little");
  assert(data.buffer.byteLength < 10_000, `${data.buffer.byteLength} bytes`);
  endpoint.close();
});
