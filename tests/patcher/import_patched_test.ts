import {
  assert,
  assertEquals,
  assertNotStrictEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { importPatched, lib, sleep, spawn, Timeout } from "../../mod.ts";
import { errorOf, runLoop, witness } from "../run_loop.ts";

type Client = typeof import("./modules/client.ts");

const address = (name: string): URL => new URL(`./modules/${name}`, import.meta.url);
const client = (): Promise<Client> => importPatched<Client>(address("client.ts"));

Deno.test("importPatched() loads a module that sees the cooperative functions, and nobody else does", () =>
  runLoop(async () => {
    const patched = await client();
    const plain: Client = await import("./modules/client.ts");
    const functions = patched.functions();
    assertStrictEquals(functions.setTimeout, lib.time.setTimeout);
    assertStrictEquals(functions.clearInterval, lib.time.clearInterval);
    assertNotStrictEquals(functions.fetch, fetch);
    assertNotStrictEquals(functions.connect, Deno.connect);
    assertStrictEquals(plain.functions().setTimeout, setTimeout);
    assertStrictEquals(plain.functions().fetch, fetch);
    assertStrictEquals(plain.functions().connect, Deno.connect);
  }));

Deno.test("importPatched() loads what the module imports likewise, JSON, cyclic and dynamic imports too", () =>
  runLoop(async () => {
    const patched = await client();
    assertEquals(patched.value, 42);
    assert(patched.cycle());
    assertStrictEquals(await patched.laterImport(), lib.time.setTimeout);
  }));

Deno.test("importPatched() gives the same module each time", () =>
  runLoop(async () => {
    assertStrictEquals(await client(), await client());
  }));

Deno.test("import.meta of a patched module is its own", () =>
  runLoop(async () => {
    const patched = await client();
    assertEquals(patched.url, address("client.ts").href);
    assertEquals(patched.filename, address("client.ts").pathname);
  }));

Deno.test("the stack of an error names the right file and line", () =>
  runLoop(async () => {
    for (const name of ["client.ts", "uses_common.mjs"]) {
      const module = await importPatched<{ fails(): never; common?: { fails(): never } }>(
        address(name),
      );
      const seen = witness(() => (module.common ?? module).fails());
      await seen.task.join();
      const error = errorOf(seen) as Error;
      const line = error.message.match(/\d+/)![0];
      assertStringIncludes(
        error.stack!,
        `${name.replace("uses_common.mjs", "common.cjs")}:${line}:`,
      );
    }
  }));

Deno.test("what a patched module awaits follows the loop's clock", () =>
  runLoop(async (loop) => {
    assertEquals(await (await client()).napTwice(3_600_000), 42);
    assertEquals(loop.time(), 7_200_000);
  }));

Deno.test("a task that waits in a patched module is killed at once, and leaves no timer", () =>
  runLoop(async (loop) => {
    const { napTwice } = await client();
    for (const after of [10, 150]) {
      const start = loop.time();
      const log: string[] = [];
      const task = spawn(async () => {
        try {
          await napTwice(100);
          log.push("went on");
        } finally {
          log.push("left");
        }
      });
      await sleep(after);
      task.kill();
      assert(await task.join());
      assertEquals([log, loop.time() - start], [["left"], after]);
    }
  }).then(() => {}));

Deno.test("a task that waits in a patched module is timed out", () =>
  runLoop(async (loop) => {
    const { napTwice } = await client();
    const timeout = new Timeout(150);
    const seen = witness(() => timeout.run(() => napTwice(100)));
    await seen.task.join();
    assertStrictEquals(errorOf(seen), timeout);
    assertEquals(loop.time(), 150);
  }));

Deno.test("a module keeps what it declares or imports under such a name itself", () =>
  runLoop(async () => {
    const module = await importPatched<typeof import("./modules/keeps_its_own.ts")>(
      address("keeps_its_own.ts"),
    );
    assertEquals(module.result, ["its own", "imported", "local", "function"]);
    assertStrictEquals(module.platforms, lib.time.clearTimeout);
  }));

Deno.test("a declaration that only the engine finds is kept, too", () =>
  runLoop(async () => {
    const module = await importPatched<Record<string, unknown>>(address("declares_oddly.js"));
    assertEquals(module.setTimeout, 2);
    assertStrictEquals(module.interval, lib.time.setInterval);
  }));

Deno.test("what is easily misread is read right: patterns, decorators, templates, names of the global object", () =>
  runLoop(async () => {
    const module = await importPatched<typeof import("./modules/oddities.ts")>(
      address("oddities.ts"),
    );
    assertStrictEquals(module.decorated, lib.time.setTimeout);
    assertEquals(module.names, ["another name", "its own", "nested setTimeout", "imported"]);
    assertNotStrictEquals(module.platforms[0], fetch);
    assertStrictEquals(module.platforms[1], lib.time.clearInterval);
    assertEquals(module.globals, [true, true, true, true]);
    assertEquals(module.text, "some text\n");
  }));

Deno.test("an import that cannot be is the platform's error, and names what the module has written", () =>
  runLoop(async () => {
    const missing = await assertRejects(
      () => importPatched(address("asks_for_too_much.js")),
      SyntaxError,
      "'./own_fetch.ts' does not provide an export named 'missing'",
    );
    assertStringIncludes(missing.stack!, "'./own_fetch.ts'");
    const folder = await Deno.makeTempDir();
    await Deno.writeTextFile(`${folder}/asks.js`, `import "./not_there.ts";`);
    await assertRejects(
      () => importPatched(`file://${folder}/asks.js`),
      TypeError,
      `Module not found "file://${folder}/not_there.ts"`,
    );
    await Deno.remove(folder, { recursive: true });
  }));

Deno.test("CommonJS modules are patched, and keep what they declare", () =>
  runLoop(async () => {
    // deno-lint-ignore no-explicit-any
    const { common, functions } = await importPatched<any>(address("uses_common.mjs"));
    assertEquals(functions().fetch, "its own");
    assertEquals(functions().clearInterval, "its own, too");
    assertStrictEquals(functions().setTimeout, lib.time.setTimeout);
    assertStrictEquals(common.other.setTimeout, lib.time.setTimeout);
    assertStrictEquals(common.other.same(), common);
    assertEquals(common.filename, address("common.cjs").pathname);
    // deno-lint-ignore no-explicit-any
    const plain: any = await import("./modules/uses_common.mjs");
    assertEquals(plain.functions().setTimeout.name, "setTimeout");
    assertNotStrictEquals(plain.functions().setTimeout, lib.time.setTimeout);
  }));

Deno.test("a CommonJS module has the names and the values that it has unpatched", () =>
  runLoop(async () => {
    const url = address("exports_oddly.cjs").href;
    const patched = await importPatched(url);
    const plain = await import(url);
    const names = Object.keys(patched).filter((name) => name !== "fails");
    assertEquals(names.sort(), Object.keys(plain).sort());
    for (const name of ["with-a-dash", "main", "self", "data", "circle", "fails"]) {
      assertEquals(patched[name], plain[name], name);
    }
    assertEquals(patched["module.exports"], patched.default);
  }));

Deno.test("what a patched module requires by createRequire() is patched, too", () =>
  runLoop(async () => {
    // deno-lint-ignore no-explicit-any
    const module = await importPatched<any>(address("creates_require.mjs"));
    assertStrictEquals(module.required, lib.time.setTimeout);
    assert(module.same && module.isModule);
    assertThrows(() => module.refused(), TypeError);
  }));

Deno.test("importPatched() works in a Worker, with its own loop", async () => {
  const worker = new Worker(address("in_worker.ts"), { type: "module" });
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = (event) => {
    event.preventDefault();
    reject(new Error(event.message));
  };
  assertEquals(await promise, true);
  worker.terminate();
});

Deno.test("CommonJS modules import ECMAScript modules dynamically, patched likewise", () =>
  runLoop(async () => {
    // deno-lint-ignore no-explicit-any
    const { common } = await importPatched<any>(address("uses_common.mjs"));
    assertStrictEquals((await common.later("./later.mjs")).own(), lib.time.setTimeout);
    assertEquals((await common.later("npm:ms@2.1.3")).default("2 days"), 172_800_000);
    await assertRejects(() => common.later("./missing.mjs"), TypeError, "missing.mjs");
    assertEquals(common.withProperty(), "a property");
  }));

Deno.test("what is thrown while a CommonJS module is loaded arrives as it is", () =>
  runLoop(async () => {
    for (const _ of [1, 2]) {
      const error = await assertRejects(() => importPatched(address("throws.cjs")), RangeError);
      assertEquals([error.message, (error as { code?: number }).code], ["It is odd", 7]);
      assertStringIncludes(error.stack!, "throws.cjs:3:");
    }
  }));

Deno.test("a dynamic import fetches what is missing, keeps what is declared, and is refused as usual", () =>
  runLoop(async () => {
    const { pickedLater } = await client();
    assertEquals(
      ((await pickedLater("./declares_oddly.js")) as { setTimeout: number }).setTimeout,
      2,
    );
    await assertRejects(() => pickedLater("./missing.ts"), TypeError, "missing.ts");
  }));

Deno.test("import.meta.resolve() of a patched module finds what the module would", () =>
  runLoop(async () => {
    const { resolved } = await client();
    assertEquals(resolved("./nap.js"), address("nap.js").href);
    assertEquals(resolved("@std/async"), import.meta.resolve("@std/async"));
    assertEquals(resolved("https://example.com/x.ts"), "https://example.com/x.ts");
  }));

Deno.test("what a task leaves running in a patched module when it ends by itself goes on", () =>
  runLoop(async () => {
    type Module = typeof import("./modules/leaves_running.ts");
    const { connect, log } = await importPatched<Module>(address("leaves_running.ts"));
    let connection!: Promise<string>;
    await spawn(() => {
      connection = connect();
      return sleep(30);
    }).join();
    assertEquals(log, ["half"]);
    assertEquals(await connection, "connection");
    assertEquals(log.splice(0), ["half", "connected", "left"]);
    // What a killed task leaves running ends with it.
    const killed = spawn(() => {
      connection = connect();
      return sleep(1_000);
    });
    await sleep(30);
    killed.kill();
    await killed.join();
    await sleep(1);
    assertEquals(log, ["half", "left"]);
  }, { clock: undefined }));

Deno.test("only what is named is replaced", () =>
  runLoop(async () => {
    const timed = await importPatched<Client>(address("client.ts"), { time: true });
    assertStrictEquals(timed.functions().setTimeout, lib.time.setTimeout);
    assertStrictEquals(timed.functions().fetch, fetch);
    assertStrictEquals(timed.functions().connect, Deno.connect);
    const rest = await importPatched<Client>(address("client.ts"), { all: true, time: false });
    assertStrictEquals(rest.functions().setTimeout, setTimeout);
    assertNotStrictEquals(rest.functions().fetch, fetch);
    const none = await importPatched<Client>(address("client.ts"), { all: false });
    assertStrictEquals(none, await import("./modules/client.ts"));
  }));

Deno.test("importPatched() refuses what it cannot import", () =>
  runLoop(async () => {
    await assertRejects(() => importPatched("./modules/client.ts"), TypeError, "a relative path");
    await assertRejects(() => importPatched(1 as never), TypeError, "a specifier or URL is needed");
    await assertRejects(() => importPatched("data:text/javascript,"), TypeError, "no address");
    await assertRejects(() => importPatched("a-bare-name-that-nobody-has"), TypeError);
    await assertRejects(() => importPatched("node:nothing"), TypeError);
    await assertRejects(
      () => importPatched(address("client.ts"), { tiem: true } as never),
      TypeError,
      'no module "tiem"',
    );
    await assertRejects(() => importPatched(address("missing.ts")), TypeError, "missing.ts");
  }));
