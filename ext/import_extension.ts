import { shown } from "../loop/arguments.ts";
import { cooperate } from "../loop/event_loop.ts";

/** What an extension may be called: what comes after "evergreen-" in a package's name. */
const NAME = /^[a-z0-9][a-z0-9._-]*$/;

/**
 * Loads an extension: `importExtension("foo")` is the module that the program's import map calls `evergreen-foo`.
 * So a program decides with one line of its `deno.json` where its extensions come from.
 *
 * It is loaded once, however often it is asked for. Waiting for it is a blocking call.
 *
 * @typeParam M What the extension exports, `typeof import("evergreen-foo")` for one.
 * @param name Without the "evergreen-".
 * @throws {TypeError} If `name` cannot be the name of an extension, or the import map has none of that name; the
 * platform's own error is its `cause`.
 */
export function importExtension<M = Record<string, unknown>>(name: string): Promise<M> {
  if (typeof name !== "string" || !NAME.test(name)) {
    return Promise.reject(
      new TypeError(
        `Cannot import an extension: its name must be like "foo", or "foo-bar", not ${shown(name)}`,
      ),
    );
  }
  return cooperate(load(`evergreen-${name}`)) as Promise<M>;
}

async function load(specifier: string): Promise<unknown> {
  try {
    // Asked first, so that an error in the extension itself is not taken for its absence.
    import.meta.resolve(specifier);
  } catch (cause) {
    throw new TypeError(
      `Cannot import an extension: the import map of the program has no "${specifier}"`,
      { cause },
    );
  }
  return await import(specifier);
}
