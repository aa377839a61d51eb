// The rules that no compiler checks: which folder may know of which, what is private, where time and
// chance come from. Each rule is a function from modules to complaints, so that the last tests can
// show, on a tree that breaks it, that it would be noticed.

import { assert, assertEquals } from "@std/assert";
import { type Import, type Module, parseModule } from "./_ci/module.ts";

const ROOT = new URL("../", import.meta.url);

/** The source folders: each may import itself and those before it. */
const LAYERS = ["loop", "tasks", "sync", "io", "lib", "ext", "patcher"];

/** Top-level folders that are no part of the library. */
const NO_SOURCE = ["bench", "coverage", "docs", "examples", "node_modules", "tests", "vendor"];

/**
 * The one way against the layers. Tasks are part of the loop's contract: `ExceptionContext`,
 * `DeadlockError` and `current` have `Task` in their types. A type is all the loop may take from
 * there, by `import type`: at run time it knows nothing of tasks.
 */
const EXCEPTION = { from: "loop", typesOf: "tasks/task.ts" };

/** Folders in which time and chance come from the loop's options, so that a run can be repeated. */
const DETERMINISTIC = ["loop", "tasks", "sync"];
const CLOCK_FILE = "loop/clock.ts";
const TIME_AND_CHANCE =
  /\b(?:Date\s*\.\s*now|performance\s*\.\s*now|setTimeout|setInterval|Math\s*\.\s*random)\b/g;

const MAX_LINES = 400;
const SAYS_NOTHING = ["index", "utils", "common", "helpers", "types", "constants"];

type Modules = readonly Module[];

Deno.test("every top-level folder with source in it is a known one", async () => {
  assertEquals(unknownFolders(await repository()), []);
});

Deno.test("each folder imports only itself and the layers before it", async () => {
  const modules = await repository();
  assert(modules.some(({ path }) => path.startsWith("loop/")), "there is no source to check");
  assertEquals(wrongWayImports(modules), []);
});

Deno.test("a file named _x.ts is imported only from its own folder", async () => {
  assertEquals(intrusions(await repository()), []);
});

Deno.test("loop, tasks and sync take time and chance from the loop's options", async () => {
  assertEquals(ownTimeAndChance(await repository()), []);
});

Deno.test(`no source file has more than ${MAX_LINES} lines`, async () => {
  assertEquals(longFiles(await repository()), []);
});

Deno.test(`no file is named ${SAYS_NOTHING.join(", ")}`, async () => {
  assertEquals(namesThatSayNothing(await repository()), []);
});

Deno.test("mod.ts exports whatever a folder's mod.ts exports", async () => {
  assertEquals(missingExports(await repository()), []);
});

Deno.test("deno.json exports mod.ts and the mod.ts of every folder, and nothing else", async () => {
  const config = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  assertEquals(config.exports, entryPoints(await repository()));
});

Deno.test("an unknown folder, or a source file outside every folder, is noticed", () => {
  const modules = tree({ "mod.ts": "", "web.ts": "", "web/mod.ts": "", "tests/x_test.ts": "" });
  assertEquals(unknownFolders(modules), [
    "web.ts is in no known folder",
    "web/mod.ts is in no known folder",
  ]);
});

Deno.test("an import against the layers is noticed however it is written", () => {
  for (
    const [statement, specifier] of [
      [`import { Queue } from "../sync/queue.ts";`, "../sync/queue.ts"],
      [`import type { Queue } from "../sync/queue.ts";`, "../sync/queue.ts"],
      [`import "../sync/queue.ts";`, "../sync/queue.ts"],
      [`export { Queue } from "../sync/queue.ts";`, "../sync/queue.ts"],
      [`export * from "../sync/queue.ts";`, "../sync/queue.ts"],
      [`const { Queue } = await import("../sync/queue.ts");`, "../sync/queue.ts"],
      [`type Queue = import("../sync/queue.ts").Queue;`, "../sync/queue.ts"],
      [`new Worker(new URL("../sync/queue.ts", import.meta.url));`, "../sync/queue.ts"],
      [`import { Queue } from "../mod.ts";`, "../mod.ts"],
      [`import { Queue } from "@evergreen/evergreen/sync";`, "@evergreen/evergreen/sync"],
      [`import { delayed } from "../tests/delayed.ts";`, "../tests/delayed.ts"],
    ]
  ) {
    const complaints = [`tasks/task.ts may not import ${specifier}`];
    assertEquals(wrongWayImports(tree({ "tasks/task.ts": statement })), complaints, statement);
  }
});

Deno.test("what the layers allow is not complained of", () => {
  const modules = tree({
    "mod.ts": `export * from "./loop/mod.ts"; export * from "./sync/mod.ts";`,
    "loop/errors.ts": `import type { Task } from "../tasks/task.ts"; import "./heap.ts";`,
    "sync/queue.ts": `// import "../io/stream.ts";
      import { Task } from "../tasks/task.ts"; import "../loop/heap.ts"; import "node:net";`,
    "tests/io_test.ts": `import "../io/stream.ts"; import "../mod.ts";`,
  });
  assertEquals(wrongWayImports(modules), []);
});

Deno.test("loop/ may import nothing of tasks/ but types, and those from task.ts", () => {
  for (
    const statement of [
      `import { Task } from "../tasks/task.ts";`,
      // Without `import type` the statement itself stays, and runs the module.
      `import { type Task } from "../tasks/task.ts";`,
      `export type { Task } from "../tasks/task.ts";`,
      `import type { Local } from "../tasks/local.ts";`,
    ]
  ) {
    const modules = tree({ "loop/errors.ts": statement });
    assertEquals(wrongWayImports(modules).length, 1, statement);
  }
});

Deno.test("an import of another folder's private file is noticed", () => {
  const modules = tree({
    "loop/event_loop.ts": `import { Heap } from "./_heap.ts";`,
    "tasks/timeout.ts": `import { Heap } from "../loop/_heap.ts";`,
    "tests/loop/heap_test.ts": `import { Heap } from "../../loop/_heap.ts";`,
  });
  assertEquals(intrusions(modules), [
    "tasks/timeout.ts may not import ../loop/_heap.ts",
    "tests/loop/heap_test.ts may not import ../../loop/_heap.ts",
  ]);
});

Deno.test("time and chance from elsewhere are noticed, but not in comments", () => {
  const modules = tree({
    "loop/clock.ts": `export const now = () => performance.now();`,
    "loop/a.ts":
      `/** Not {@linkcode setTimeout}. */ const s = "//"; setInterval(() => {}); // Date.now`,
    "tasks/b.ts": "const t = `${Date.now()}`;",
    "sync/c.ts": `const n = Math\n  .random();`,
    "io/d.ts": `setTimeout(() => {}, 1);`,
  });
  assertEquals(ownTimeAndChance(modules), [
    "loop/a.ts mentions setInterval",
    "tasks/b.ts mentions Date.now",
    "sync/c.ts mentions Math.random",
  ]);
});

Deno.test("a file that is too long is noticed, one that is just not is not", () => {
  const modules = tree({
    "io/a.ts": "//\n".repeat(MAX_LINES + 1),
    "io/b.ts": "//\n".repeat(MAX_LINES),
    "tests/c_test.ts": "//\n".repeat(MAX_LINES + 1),
  });
  assertEquals(longFiles(modules), [`io/a.ts has ${MAX_LINES + 1} lines`]);
});

Deno.test("a name that says nothing is noticed, as a folder's name too", () => {
  const modules = tree({
    "io/_utils.ts": "",
    "tests/helpers/server.ts": "",
    "sync/type_guards.ts": "",
  });
  assertEquals(namesThatSayNothing(modules), ["io/_utils.ts", "tests/helpers/server.ts"]);
});

Deno.test("a name that mod.ts does not export is noticed", () => {
  const sync = `export { Lock, type LockOptions } from "./lock.ts"; export const LIMIT = 1;`;
  const missing = (mod: string) => missingExports(tree({ "mod.ts": mod, "sync/mod.ts": sync }));
  assertEquals(missing(`export { LIMIT, Lock } from "./sync/mod.ts";`), [
    "mod.ts does not export LockOptions of sync/mod.ts",
  ]);
  assertEquals(missing("").length, 3);
  assertEquals(missing(`export * from "./sync/mod.ts";`), []);
  assertEquals(missingExports(tree({ "mod.ts": "", "io/mod.ts": `export * from "./tcp.ts";` })), [
    "io/mod.ts exports all of ./tcp.ts: it has to name what it exports",
  ]);
});

/** TypeScript that stands at the top level or in a folder of source that is not known. */
function unknownFolders(modules: Modules): string[] {
  return modules
    .filter(({ path }) => path !== "mod.ts" && ![...LAYERS, ...NO_SOURCE].includes(topFolder(path)))
    .map(({ path }) => `${path} is in no known folder`);
}

function wrongWayImports(modules: Modules): string[] {
  return complaintsAboutImports(
    modules.filter(({ path }) => LAYERS.includes(topFolder(path))),
    ({ path }, imported) => {
      const target = resolve(path, imported.specifier);
      // By its own name a package can reach all of itself.
      if (target === null) return !imported.specifier.startsWith("@evergreen/");
      const own = LAYERS.indexOf(topFolder(path));
      const other = LAYERS.indexOf(topFolder(target));
      const isException = topFolder(path) === EXCEPTION.from && target === EXCEPTION.typesOf &&
        imported.typeOnly;
      return isException || other !== -1 && other <= own;
    },
  );
}

function intrusions(modules: Modules): string[] {
  return complaintsAboutImports(modules, ({ path }, { specifier }) => {
    const target = resolve(path, specifier);
    return target === null || !fileName(target).startsWith("_") ||
      folderOf(target) === folderOf(path);
  });
}

function ownTimeAndChance(modules: Modules): string[] {
  return modules
    .filter(({ path }) => DETERMINISTIC.includes(topFolder(path)) && path !== CLOCK_FILE)
    .flatMap(({ path, code }) =>
      Array.from(
        code.matchAll(TIME_AND_CHANCE),
        ([found]) => `${path} mentions ${found.replaceAll(/\s/g, "")}`,
      )
    );
}

function longFiles(modules: Modules): string[] {
  return modules
    .filter(({ path, lines }) =>
      (path === "mod.ts" || LAYERS.includes(topFolder(path))) && lines > MAX_LINES
    )
    .map(({ path, lines }) => `${path} has ${lines} lines`);
}

function namesThatSayNothing(modules: Modules): string[] {
  const saysNothing = (name: string) => SAYS_NOTHING.includes(name.replaceAll(/^_|\..*$/g, ""));
  return modules.map(({ path }) => path).filter((path) => path.split("/").some(saysNothing));
}

function missingExports(modules: Modules): string[] {
  const mod = find(modules, "mod.ts");
  assert(mod, "there is no mod.ts");
  return LAYERS.flatMap((layer) => {
    const folder = find(modules, `${layer}/mod.ts`);
    if (!folder) return [];
    const unnamed = folder.exportsAllOf.map((specifier) =>
      `${folder.path} exports all of ${specifier}: it has to name what it exports`
    );
    const missing = mod.exportsAllOf.includes(`./${folder.path}`)
      ? []
      : folder.exports.filter((name) => !mod.exports.includes(name))
        .map((name) => `mod.ts does not export ${name} of ${folder.path}`);
    return [...unnamed, ...missing];
  });
}

function entryPoints(modules: Modules): Record<string, string> {
  const layers = LAYERS.filter((layer) => find(modules, `${layer}/mod.ts`));
  return {
    ".": "./mod.ts",
    ...Object.fromEntries(layers.map((layer) => [`./${layer}`, `./${layer}/mod.ts`])),
  };
}

function complaintsAboutImports(
  modules: Modules,
  isAllowed: (from: Module, imported: Import) => boolean,
): string[] {
  return modules.flatMap((from) =>
    from.imports
      .filter((imported) => !isAllowed(from, imported))
      .map(({ specifier }) => `${from.path} may not import ${specifier}`)
  );
}

/** The path that a relative specifier means; null for anything else. */
function resolve(from: string, specifier: string): string | null {
  if (!specifier.startsWith(".")) return null;
  return new URL(specifier, `file:///${from}`).pathname.slice(1);
}

function find(modules: Modules, path: string): Module | undefined {
  return modules.find((module) => module.path === path);
}

function topFolder(path: string): string {
  return path.includes("/") ? path.slice(0, path.indexOf("/")) : "";
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}

function fileName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Modules that exist only in a test. */
function tree(sources: Record<string, string>): Modules {
  return Object.entries(sources).map(([path, source]) => parseModule(path, source));
}

let modules: Promise<Modules> | undefined;

/** All TypeScript of this repository but what is not its own. */
function repository(): Promise<Modules> {
  return modules ??= Array.fromAsync(sourcePaths(ROOT), async (path) => {
    return parseModule(path, await Deno.readTextFile(new URL(path, ROOT)));
  });
}

async function* sourcePaths(folder: URL): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (name.startsWith(".") || ["coverage", "node_modules", "vendor"].includes(name)) continue;
    if (isDirectory) yield* sourcePaths(new URL(`${name}/`, folder));
    else if (name.endsWith(".ts")) yield new URL(name, folder).pathname.slice(ROOT.pathname.length);
  }
}
