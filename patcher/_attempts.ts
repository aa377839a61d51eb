import { AllCooperative } from "../lib/promise.ts";
import { carried, fetchMissing, missingModule } from "./_missing_module.ts";
import { withMeanings } from "./_specifiers.ts";
import { markOf, parsePatchedUrl } from "./_patched_url.ts";

/** How the engine says that a name is declared twice. */
const DECLARED_TWICE =
  /(?:Identifier|name) [`']([\w$]+)[`'] (?:has already been declared|is defined multiple)/;

/**
 * Imports patched modules as often as it takes: until all that they need is fetched, and all names that they declare
 * themselves are known. Nothing of them runs before.
 *
 * @param mark What their addresses are marked with at first.
 * @param load Imports them, marked so.
 */
export async function attemptImport(
  mark: string,
  load: (mark: string) => Promise<unknown>,
): Promise<unknown> {
  const { modules, kept } = parsePatchedUrl(mark)!;
  const names = [...kept];
  const fetched = new Set<string>();
  while (true) {
    try {
      return await load(names.length === kept.length ? mark : markOf(modules, names));
    } catch (error) {
      const missing = missingModule(error);
      if (missing !== null && !fetched.has(missing)) {
        fetched.add(missing);
        await fetchMissing(missing);
        continue;
      }
      const name = DECLARED_TWICE.exec(String((error as Error | null)?.message))?.[1];
      if (name === undefined || names.includes(name)) throw named(carried(error));
      names.push(name);
    }
  }
}

/** An error of the platform's that names modules as those who import them do. */
function named(error: unknown): unknown {
  if (!(error instanceof SyntaxError)) return error;
  const { message, stack } = error;
  error.message = withMeanings(message);
  if (stack !== undefined) error.stack = withMeanings(stack);
  return error;
}

/** The platform's own `import()`. */
export type NativeImport = (specifier: string, options?: ImportCallOptions) => Promise<unknown>;

/** What patched modules have for `import()`. */
export function importFromPatched(
  native: NativeImport,
  mark: string,
  specifier: unknown,
  options?: ImportCallOptions,
): Promise<unknown> {
  return new AllCooperative((resolve, reject) => {
    attemptImport(mark, (now) => {
      const address = String(specifier);
      return native(
        now === mark || options?.with?.type !== undefined ? address : address + now,
        options,
      );
    }).then(resolve, reject);
  });
}
