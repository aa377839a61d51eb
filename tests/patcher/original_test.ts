import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { importPatched, lib, original, patched, sleep } from "../../mod.ts";
import { runLoop } from "../run_loop.ts";

// deno-lint-ignore no-explicit-any
type Functions = Record<string, any>;

/** The platform's functions, taken before anything is patched. */
const platform: Record<"socket" | "time", Functions> = {
  socket: {
    connect: Deno.connect,
    connectTls: Deno.connectTls,
    startTls: Deno.startTls,
    listen: Deno.listen,
    listenTls: Deno.listenTls,
  },
  time: { setTimeout, setInterval, clearTimeout, clearInterval },
};
const platformFetch = fetch;

for (const isPatched of [false, true]) {
  Deno.test(`original() gives the platform's own functions, where ${isPatched ? "all" : "nothing"} is patched`, () => {
    using _ = patched({ all: isPatched });
    assertEquals(setTimeout === platform.time.setTimeout, !isPatched);
    for (const [name, functions] of Object.entries(platform)) {
      const originals = original(name as "socket") as unknown as Functions;
      for (const [key, value] of Object.entries(functions)) {
        assertStrictEquals(originals[key], value);
      }
    }
    assertStrictEquals(original("fetch"), platformFetch);
    assertStrictEquals(original("fetch").fetch, platformFetch);
    assertStrictEquals(original("time").unrefTimer, original("time").unrefTimer);
  });
}

Deno.test("original() has what the cooperative modules have, and nothing else", () => {
  assertEquals(Object.keys(original("socket")).sort(), Object.keys(lib.socket).sort());
  assertEquals(Object.keys(original("time")).sort(), Object.keys(lib.time).sort());
});

Deno.test("original timers go by the platform's clock, patched or not", () =>
  runLoop(async (loop) => {
    using _ = patched({ time: true });
    const { setTimeout, clearTimeout } = original("time");
    clearTimeout(setTimeout(() => {
      throw new Error("This was to be cleared");
    }, 0));
    await loop.cooperate(new Promise((resolve) => setTimeout(resolve, 1)));
    assertEquals(loop.time(), 0);
    await sleep(1);
  }));

Deno.test("a patched module has the originals, too", () =>
  runLoop(async () => {
    const module = await importPatched<{ originals(): unknown[]; own: unknown }>(
      new URL("./modules/uses_originals.ts", import.meta.url),
    );
    const [timer, connect, request] = module.originals();
    assertStrictEquals(timer, platform.time.setTimeout);
    assertStrictEquals(connect, platform.socket.connect);
    assertStrictEquals(request, platformFetch);
    assertStrictEquals(module.own, lib.time.setTimeout);
  }));

Deno.test("original() of an unknown module is a TypeError", () => {
  for (const name of ["tiem", "all", "select", undefined, null, 1]) {
    assertThrows(() => original(name as never), TypeError, "only socket, time, fetch");
  }
  assert(original("time") === original("time"));
});
