import { shown } from "../loop/arguments.ts";
import { cooperate } from "../loop/event_loop.ts";
import { type PatchOptions, selectModules } from "./modules.ts";
import { attemptImport } from "./_attempts.ts";
import { installHooks } from "./_module_hooks.ts";
import { markOf } from "./_patched_url.ts";

/**
 * Loads a module so that it, and the files it imports, see the cooperative versions of the platform's functions.
 * Nobody else does: who imports the same file in the ordinary way has another instance of it.
 *
 * What those modules await is waited for as blocking calls wait: so tasks that call them can be killed and timed
 * out there, at once. What a module of theirs declares or imports under such a name itself, it keeps. A socket or
 * request that a task makes there, of `node:net`, `tls`, `http`, `https` and `http2` too, is closed when that task is
 * killed, or timed out by a `Timeout` that it had started before. What a task leaves running when it ends by itself
 * goes on.
 *
 * TypeScript and JavaScript are loaded so, in files, in npm packages and from the network, CommonJS too; what they
 * import, by whichever way and at whichever time, likewise. Shared with everybody else are: JSON, native addons,
 * ECMAScript modules that are `require`d, node's own modules but those of sockets, timers and promises, and this
 * library. A module sees `globalThis` as a view of the global object.
 *
 * It is done by a synchronous hook of `node:module` (`registerHooks`) that sees every import, dynamic ones too, and
 * finds a blob for each file, with the imports of what is patched at its end and a map to the file's own lines. Blobs
 * by themselves could import nothing by a relative path, and a hook that loads in place of one that finds holds an
 * operation that never ends.
 *
 * @param specifier What `import()` takes, in full: a URL (`new URL("./client.ts", import.meta.url)`,
 * `import.meta.resolve("client")`), or an `npm:` or bare specifier.
 * @param modules Which functions are replaced; all of them if none is named.
 * @throws {TypeError} If `specifier` is a relative path, which would be relative to this library, or a `data:` or `blob:`
 * URL, or `modules` names one that does not exist; or as `import()` does.
 */
export async function importPatched<M = Record<string, unknown>>(
  specifier: string | URL,
  modules?: PatchOptions,
): Promise<M> {
  const selected = selectModules("import a patched module", modules);
  const address = checkSpecifier(specifier);
  if (selected.length === 0) return await cooperate(import(address)) as M;
  installHooks();
  const load = (mark: string): Promise<unknown> => import(address + mark);
  return await cooperate(attemptImport(markOf(selected, []), load)) as M;
}

function checkSpecifier(specifier: unknown): string {
  if (typeof specifier !== "string" && !(specifier instanceof URL)) {
    throw new TypeError(
      `Cannot import a patched module: a specifier or URL is needed, not ${shown(specifier)}`,
    );
  }
  const address = String(specifier);
  if (/^\.{0,2}\//.test(address)) {
    throw new TypeError(
      `Cannot import a patched module: ${
        shown(address)
      } is a relative path; make it a URL, new URL(${shown(address)}, import.meta.url)`,
    );
  }
  if (/^(?:data|blob):/.test(address)) {
    throw new TypeError(
      `Cannot import a patched module: ${shown(address)} is no address of a file or a package`,
    );
  }
  return address;
}
