import { shown } from "../loop/arguments.ts";

declare const signature: unique symbol;

/**
 * A function that another thread or process can import: the URL of a module, and the name of one of its exports.
 * Made by {@linkcode moduleFunction}.
 */
export class ModuleFunction<A extends unknown[], R> {
  /** Only for the compiler: what it takes and gives. */
  declare readonly [signature]?: (...args: A) => R;
  /** The module, as it is imported. */
  readonly module: string;
  /** The name under which the module exports it; "default" for the default export. */
  readonly name: string;

  /** Use {@linkcode moduleFunction}, which knows the types. */
  constructor(module: string, name: string) {
    this.module = module;
    this.name = name;
  }
}

/** What a {@linkcode ModuleFunction} takes that stands for `F`. */
export type ModuleFunctionOf<F> = F extends (...args: infer A) => infer R ? ModuleFunction<A, R>
  : never;

/**
 * Names a function for another thread or process to import, with its types.
 *
 * @param module A URL, or a name that can be imported everywhere: `npm:`, `jsr:`, `node:` or one of the import map.
 * For a file beside this one: `new URL("./file.ts", import.meta.url)`.
 * @param name The name under which it is exported.
 * @throws {TypeError} If `module` is a relative path, which means another file elsewhere, or `name` no string.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { moduleFunction, ThreadPoolExecutor } from "@evergreen/evergreen";
 *
 * const basename = moduleFunction<typeof import("node:path"), "basename">("node:path", "basename");
 *
 * await using pool = new ThreadPoolExecutor(1);
 * assertEquals(await pool.submit(basename, "/a/b.txt", ".txt").get(), "b");
 * ```
 */
export function moduleFunction<M, K extends keyof M>(
  module: string | URL,
  name: K,
): ModuleFunctionOf<M[K]> {
  if (typeof module !== "string" && !(module instanceof URL)) {
    throw new TypeError(
      `Cannot name a function of a module: a URL is needed, not ${shown(module)}`,
    );
  }
  const url = String(module);
  if (/^\.{0,2}\//.test(url)) {
    throw new TypeError(
      `Cannot name a function of the module ${shown(url)}: a path means another file elsewhere; ` +
        `give new URL(${shown(url)}, import.meta.url)`,
    );
  }
  if (typeof name !== "string" || name === "") {
    throw new TypeError(
      `Cannot name a function of ${url}: its name must be a string, not ${shown(name)}`,
    );
  }
  return new ModuleFunction(url, name) as ModuleFunctionOf<M[K]>;
}

/** Imports a function. */
export async function importFunction(
  module: string,
  name: string,
): Promise<(...args: never[]) => unknown> {
  const found = (await import(module))[name];
  if (typeof found === "function") return found;
  throw new TypeError(
    `Cannot call ${name} of ${module}: the module exports no function of that name`,
  );
}
