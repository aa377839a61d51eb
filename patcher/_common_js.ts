import { readFileSync } from "node:fs";
import { createRequire, isBuiltin } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Script } from "node:vm";
import { importFromPatched, type NativeImport } from "./_attempts.ts";
import { bindingsOf } from "./_bindings.ts";
import { IMPORT, importerSpecifier, withOwnImports } from "./_dynamic_imports.ts";
import { CarriedError } from "./_missing_module.ts";
import { nodeModule } from "./_node_modules.ts";
import { isCommonJs } from "./_package_kind.ts";
import type { PatchableModule } from "./modules.ts";
import { markOf, type PatchedUrl } from "./_patched_url.ts";

interface Module {
  exports: unknown;
  readonly filename: string;
  readonly id: string;
  loaded: boolean;
  readonly children: Module[];
  readonly paths: string[];
  require?: unknown;
}

/** The CommonJS modules that are loaded already, by mark and file: node's own cache has the unpatched ones. */
const loaded = new Map<string, Map<string, Module>>();

/**
 * The source of an ECMAScript module that stands for a patched CommonJS one.
 *
 * The platform knows a CommonJS module by its file alone, so there can be only one of it. So it is run here, as
 * node runs it: as a function, whose parameters are all that it does not declare itself, the patched names too.
 */
export function commonJsModule(patched: PatchedUrl): string {
  const { exports } = loadFirst(fileURLToPath(patched.own), patched);
  const own = `patchedModule(${JSON.stringify(patched.own + patched.mark)})`;
  const list = namesOf(exports).map((name, index) =>
    `const $${index} = exported(exports, ${JSON.stringify(name)}); ` +
    `export { $${index} as ${JSON.stringify(name)} };`
  );
  return `import { exported, patchedModule } from ${JSON.stringify(import.meta.url)};
const exports = ${own};
export { exports as default, exports as "module.exports" };
${list.join("\n")}`;
}

/** The names under which a CommonJS module is imported from, as the platform has them. */
function namesOf(exports: unknown): string[] {
  if (exports === null || typeof exports !== "object" && typeof exports !== "function") return [];
  const names = new Set(Object.keys(exports));
  if ("__esModule" in exports) names.add("__esModule");
  return [...names].filter((name) =>
    name !== "default" && name !== "module.exports" && name.isWellFormed()
  );
}

/** What a CommonJS module exports under a name; nothing, if asking for it is an error. */
export function exported(exports: Record<string, unknown>, name: string): unknown {
  try {
    return exports[name];
  } catch {
    return undefined;
  }
}

/** What a module that {@linkcode commonJsModule} has loaded exports. */
export function patchedModule(url: string): unknown {
  const at = url.indexOf("#");
  return loaded.get(url.slice(at))!.get(fileURLToPath(url.slice(0, at)))!.exports;
}

function loadFirst(filename: string, patched: PatchedUrl): Module {
  try {
    return load(filename, patched);
  } catch (error) {
    throw new CarriedError(error);
  }
}

function load(filename: string, patched: PatchedUrl): Module {
  let modules = loaded.get(patched.mark);
  if (modules === undefined) loaded.set(patched.mark, modules = new Map());
  const known = modules.get(filename);
  if (known !== undefined) return known;
  const module: Module = {
    exports: {},
    filename,
    id: filename,
    loaded: false,
    children: [],
    paths: [],
  };
  modules.set(filename, module);
  try {
    run(module, readFileSync(filename, "utf8"), patched);
  } catch (error) {
    modules.delete(filename);
    throw error;
  }
  module.loaded = true;
  return module;
}

function run(module: Module, source: string, patched: PatchedUrl): void {
  const { filename } = module;
  const values: Record<string, unknown> = {
    exports: module.exports,
    require: module.require = requireFrom(filename, patched),
    module,
    __filename: filename,
    __dirname: dirname(filename),
    [IMPORT]: importFromPatched,
    [NATIVE]: nativeImport(pathToFileURL(filename).href + patched.mark),
  };
  for (const [name, value] of bindingsOf(patched.modules)) values[name] = value;
  const code = withOwnImports(source.replace(/^#!.*/, ""), patched.mark, NATIVE);
  compile(code, filename, values).apply(
    module.exports,
    Object.values(values),
  );
}

/** What stands for the platform's own `import()`. */
const NATIVE = "$evergreenNativeImport";

/** The `import()` of an ECMAScript module at that address: a function that is run here has none. */
function nativeImport(address: string): NativeImport {
  return async (specifier, options) => {
    const { default: native } = await import(importerSpecifier(address));
    return await native(specifier, options);
  };
}

/** Makes a function of the source. A parameter that the source declares itself is taken out of `values`. */
function compile(
  source: string,
  filename: string,
  values: Record<string, unknown>,
): (...args: unknown[]) => unknown {
  while (true) {
    const code = `(function (${Object.keys(values).join(", ")}) {${source}\n})`;
    try {
      return new Script(code, { filename: pathToFileURL(filename).href }).runInThisContext();
    } catch (error) {
      const name = /Identifier '([^']+)' has already been declared/.exec(
        String((error as Error | null)?.message),
      )?.[1];
      if (name === undefined || !(name in values)) throw error;
      delete values[name];
    }
  }
}

function requireFrom(filename: string, patched: PatchedUrl): NodeJS.Require {
  const platform = createRequire(filename);
  const require = (specifier: string): unknown => {
    const replaced = nodeModule(specifier, patched.modules);
    if (replaced !== undefined) return replaced;
    if (isBuiltin(specifier)) return platform(specifier);
    const path = platform.resolve(specifier);
    if (!/\.c?js$/.test(path)) return platform(specifier);
    const isPatchable = isCommonJs(pathToFileURL(path).href, readFileSync(path, "utf8"));
    return isPatchable ? load(path, patched).exports : platform(specifier);
  };
  return Object.assign(require, {
    resolve: platform.resolve,
    cache: platform.cache,
    extensions: platform.extensions,
    main: platform.main,
  }) as NodeJS.Require;
}

/** Node's `createRequire` for modules that see these modules patched. */
export function createPatchedRequire(
  modules: readonly PatchableModule[],
): (from: string | URL) => NodeJS.Require {
  const mark = markOf(modules, []);
  return (from) => {
    createRequire(from); // It refuses what is no place.
    const own = String(from).startsWith("file:") ? String(from) : pathToFileURL(String(from)).href;
    return requireFrom(fileURLToPath(own), { own, mark, modules, kept: [] });
  };
}
