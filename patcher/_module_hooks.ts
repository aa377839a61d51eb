import { readFileSync, statSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import { bindingsSource } from "./_bindings.ts";
import { commonJsModule } from "./_common_js.ts";
import { IMPORTER_SOURCE, importerOf } from "./_dynamic_imports.ts";
import { MissingModule } from "./_missing_module.ts";
import { nodeModuleSource } from "./_node_modules.ts";
import { isCommonJs } from "./_package_kind.ts";
import { parsePatchedUrl, type PatchedUrl } from "./_patched_url.ts";
import { meantBy } from "./_specifiers.ts";
import { patchedSource } from "./_patched_source.ts";
import { isRemote, noteImport, remoteModule } from "./_remote_modules.ts";

interface Context {
  parentURL?: string;
  importAttributes?: Record<string, string>;
}
interface Resolved {
  url: string;
  shortCircuit?: boolean;
}
type Register = (hooks: {
  resolve(
    specifier: string,
    context: Context,
    next: (specifier: string, context: Context) => Resolved,
  ): Resolved;
}) => unknown;

/** Where this library is: it is one for all, patched or not. */
const library = new URL("../", import.meta.url).href;
const own = ["mod.ts", "loop/", "tasks/", "sync/", "io/", "lib/", "ext/", "patcher/"];

/** The blobs that patched modules were made into, by their addresses. */
const blobs = new Map<string, string>();
/** What they were made of. */
const origins = new Map<string, PatchedUrl>();

let installed = false;

/**
 * Has the platform find marked modules, and what they import, in their patched form. What is not marked, and is not
 * imported by what is, passes through.
 *
 * Only the finding is hooked, and what is found is a blob: a hook of the loading holds an operation that never ends,
 * which every test with sanitizers would complain of. The hook stays: a patched module may import another one at
 * any time.
 */
export function installHooks(): void {
  if (installed) return;
  installed = true;
  (registerHooks as unknown as Register)({
    resolve(given, context, next) {
      const specifier = meantBy(given) ?? given;
      const marked = parsePatchedUrl(specifier);
      const parent = origins.get(context.parentURL ?? "");
      const patched = marked ?? parent;
      if (patched === undefined || patched === null) {
        const plain = next(specifier, context);
        if (isCode(plain.url, context)) noteImport(context.parentURL, plain.url);
        return plain;
      }
      const bindings = bindingsSource(specifier);
      if (bindings !== null) return { url: blobOf(specifier, () => bindings), shortCircuit: true };
      const importer = parsePatchedUrl(importerOf(specifier) ?? undefined);
      if (importer !== null) {
        const blob = blobOf(specifier, () => IMPORTER_SOURCE);
        origins.set(blob, importer);
        return { url: blob, shortCircuit: true };
      }
      const asked = marked?.own ?? specifier;
      const nodes = nodeModuleSource(asked, patched.modules);
      if (nodes !== undefined) {
        const key = asked + patched.modules.join();
        return { url: blobOf(key, () => nodes), shortCircuit: true };
      }
      const resolved = next(asked, {
        ...context,
        parentURL: parent?.own ?? context.parentURL,
      });
      // A package is in no file until it has been asked for in a way that lets the platform fetch it.
      if (resolved.url.startsWith("npm:")) throw new MissingModule(resolved.url);
      if (!isCode(resolved.url, context)) return resolved;
      return { ...resolved, url: patchedBlob({ ...patched, own: addressOf(resolved.url) }) };
    },
  });
}

/** Whether a module can be patched: it is code in a file or from the network, and none of this library's. */
function isCode(url: string, { importAttributes }: Context): boolean {
  if (importAttributes?.type !== undefined) return false;
  if (own.some((part) => url.startsWith(library + part))) return false;
  if (isRemote(url)) return true;
  return url.startsWith("file:") && !/\.(?:json|node|wasm)$/.test(url) && !isMissing(url);
}

/** Whether there is no such file: the platform says that best. */
function isMissing(url: string): boolean {
  try {
    statSync(fileURLToPath(url));
    return false;
  } catch (error) {
    return (error as { code?: string }).code === "ENOENT";
  }
}

/** Where the code at `url` really is. */
function addressOf(url: string): string {
  if (!isRemote(url)) return url;
  const module = remoteModule(url);
  if (module === undefined) throw new MissingModule(url);
  return module.url;
}

function patchedBlob(patched: PatchedUrl): string {
  let type = "text/javascript";
  const blob = blobOf(patched.own + patched.mark, () => {
    const remote = remoteModule(patched.own);
    const source = remote?.source ?? readFileSync(fileURLToPath(patched.own), "utf8");
    if (remote === undefined && isCommonJs(patched.own, source)) return commonJsModule(patched);
    const made = patchedSource(source, patched);
    type = made.type;
    return made.code;
  }, () => type);
  origins.set(blob, patched);
  return blob;
}

function blobOf(
  key: string,
  make: () => string,
  type: () => string = () => "text/javascript",
): string {
  let blob = blobs.get(key);
  if (blob === undefined) {
    const code = make();
    blob = URL.createObjectURL(new Blob([code], { type: type() }));
    blobs.set(key, blob);
  }
  return blob;
}
