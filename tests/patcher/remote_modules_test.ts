// Modules from the network, patched. They come from a server on this machine.
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { importPatched, lib, sleep, spawn } from "../../mod.ts";
import { runLoop } from "../run_loop.ts";
import { runProgram } from "../run_program.ts";

const MOD = new URL("../../mod.ts", import.meta.url).href;

/** What is served, by path. */
const files: Record<string, string> = {
  "/dir/mod.ts": `import { nap, loaded } from "./sub/nap.ts";
import data from "./data.json" with { type: "json" };
interface Typed { readonly x: number }
export const typed: Typed = { x: data.x };
export { loaded, nap };
export const own = setTimeout;
export const meta = [import.meta.url, import.meta.filename, import.meta.resolve("./other.ts")];
export const later = () => import("./later.ts");
export const never = () => import("./missing.ts");
export function fails(): never {
  throw new Error("On line 11");
}
`,
  "/dir/sub/nap.ts": `import "../mod.ts";
export const nap = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const counts = globalThis as unknown as { timesLoaded?: number };
export const loaded = counts.timesLoaded = (counts.timesLoaded ?? 0) + 1;
`,
  "/dir/data.json": `{ "x": 42 }`,
  "/dir/later.ts":
    `import { nap } from "./sub/nap.ts"; export const own = setTimeout; export { nap };`,
  "/no-extension": `export const own = setTimeout;`,
};

interface Served {
  readonly base: string;
  readonly asked: string[];
}

/** A server of {@linkcode files}. It has a registry of packages for `jsr:`, too, with one package. */
async function serve(body: (served: Served) => Promise<void>): Promise<void> {
  const asked: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const url = new URL(request.url);
    asked.push(url.pathname);
    if (url.pathname === "/moved.ts") return Response.redirect(new URL("/dir/mod.ts", url));
    if (url.pathname === "/@scope/package/meta.json") {
      return Response.json({ scope: "scope", name: "package", versions: { "1.2.3": {} } });
    }
    if (url.pathname === "/@scope/package/1.2.3_meta.json") return Response.json(await manifest());
    const text = files[url.pathname.replace("/@scope/package/1.2.3", "")];
    if (text === undefined) return new Response("", { status: 404 });
    const type = url.pathname.endsWith(".ts") ? "application/typescript" : "text/javascript";
    return new Response(text, {
      headers: { "content-type": url.pathname.endsWith("json") ? "application/json" : type },
    });
  });
  try {
    await body({ base: `http://127.0.0.1:${server.addr.port}`, asked });
  } finally {
    await server.shutdown();
  }
}

async function manifest(): Promise<unknown> {
  const entries = Object.entries(files).map(async ([path, text]) => {
    const bytes = new TextEncoder().encode(text);
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
    return [path, { size: bytes.length, checksum: `sha256-${hash}` }];
  });
  return {
    exports: { ".": "./dir/mod.ts" },
    manifest: Object.fromEntries(await Promise.all(entries)),
  };
}

// deno-lint-ignore no-explicit-any
type Any = any;

Deno.test("importPatched() loads modules from the network patched, and nobody else sees it", () =>
  serve(({ base, asked }) =>
    runLoop(async () => {
      const patched = await importPatched<Any>(`${base}/moved.ts`);
      assert(patched.own === lib.time.setTimeout);
      assertEquals(patched.typed, { x: 42 });
      assertEquals(patched.meta, [
        `${base}/dir/mod.ts`,
        undefined,
        `${base}/dir/other.ts`,
      ]);
      // Nothing was run in order to fetch it.
      assertEquals(patched.loaded, 1);
      const plain = await import(`${base}/dir/mod.ts`);
      assert(plain.own === setTimeout);
      assert(await importPatched(`${base}/dir/mod.ts`) === patched);
      // It was the platform that fetched, once.
      assertEquals(asked.filter((path) => path === "/dir/mod.ts").length, 1);
    })
  ));

Deno.test("a task that waits in a module from the network is killed at once", () =>
  serve(({ base }) =>
    runLoop(async (loop) => {
      const { nap, later } = await importPatched<Any>(`${base}/dir/mod.ts`);
      const task = spawn(() => nap(3_600_000));
      await sleep(10);
      task.kill();
      assert(await task.join());
      assertEquals(loop.time(), 10);
      const dynamic = await later();
      assert(dynamic.own === lib.time.setTimeout);
      assert(dynamic.nap === nap);
    })
  ));

Deno.test("errors in modules from the network name their lines, and missing ones are the platform's error", () =>
  serve(({ base }) =>
    runLoop(async () => {
      const { fails, never } = await importPatched<Any>(`${base}/dir/mod.ts`);
      let stack = "";
      try {
        fails();
      } catch (error) {
        stack = (error as Error).stack!;
      }
      assertStringIncludes(stack, `${base}/dir/mod.ts:11:`);
      await assertRejects(() => never(), TypeError, `${base}/dir/missing.ts`);
      await assertRejects(() => importPatched(`${base}/none.ts`), TypeError, `${base}/none.ts`);
      await assertRejects(
        () => importPatched("http://127.0.0.1:1/none.ts"),
        TypeError,
        "http://127.0.0.1:1/none.ts",
      );
      const unnamed = await importPatched<Any>(`${base}/no-extension`);
      assert(unnamed.own === lib.time.setTimeout);
    })
  ));

Deno.test("importPatched() loads a package of a registry by its jsr: specifier", () =>
  serve(async ({ base }) => {
    const cache = await Deno.makeTempDir();
    const program = `
      import { importPatched, lib } from ${JSON.stringify(MOD)};
      const { own, typed, meta } = await importPatched("jsr:@scope/package@^1");
      console.log(own === lib.time.setTimeout, typed.x, meta[0]);
    `;
    const { code, stdout, stderr } = await runProgram(program, ["--allow-all"], {
      JSR_URL: `${base}/`,
      DENO_DIR: cache,
    });
    assertEquals([stdout, code], [`true 42 ${base}/@scope/package/1.2.3/dir/mod.ts\n`, 0], stderr);
    await Deno.remove(cache, { recursive: true });
  }));

Deno.test("importPatched() needs the permission to import from the network, and no other", () =>
  serve(async ({ base }) => {
    const host = new URL(base).host;
    const program = `
      import { importPatched, lib } from ${JSON.stringify(MOD)};
      try {
        const { own } = await importPatched(${JSON.stringify(`${base}/dir/mod.ts`)});
        console.log(own === lib.time.setTimeout);
      } catch (error) {
        console.log(error.message.slice(0, 36));
      }
    `;
    const refused = await runProgram(program, ["--allow-net"]);
    assertEquals(refused.stdout, `Requires import access to "127.0.0.1\n`, refused.stderr);
    const allowed = await runProgram(program, [`--allow-import=${host}`]);
    assertEquals(allowed.stdout, "true\n", allowed.stderr);
  }));
