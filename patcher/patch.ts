import {
  checkModule,
  type PatchableModule,
  type PatchOptions,
  replacements,
  selectModules,
} from "./modules.ts";

/** A module that is patched: what was there before, and for whom it is. */
interface Patched {
  readonly before: PropertyDescriptor[];
  /** Whether {@linkcode patch} was called, which lasts until {@linkcode unpatch}. */
  lasting: boolean;
  /** The scopes of {@linkcode patched} that are open. */
  readonly scopes: Set<Disposable>;
}

const patchedModules = new Map<PatchableModule, Patched>();

/**
 * Puts the cooperative versions in the place of the platform's own functions, for the whole program: what they
 * wait for is then the loop's.
 *
 * Patching what is patched already changes nothing. What was begun before, goes on as it was begun: a timer of the
 * platform's stays one, and the new `clearTimeout` cancels it all the same. Code that took a function out of its
 * place before (`const { setTimeout } = globalThis`), and node's own modules, keep what they have.
 *
 * Cooperative timers call back while the loop runs, by `run()` or because something outside every task waits.
 *
 * With `time`, a promise in the making of which a timer is started, as in
 * `new Promise((resolve) => setTimeout(resolve, 100))`, is waited for cooperatively, too.
 *
 * @param modules Which; all of them if none is named.
 * @throws {TypeError} If one is named that does not exist.
 *
 * @example
 * ```ts
 * import { assert, assertEquals } from "@std/assert";
 * import { EventLoop, patch, spawn, unpatch, VirtualClock } from "@evergreen/evergreen";
 *
 * const loop = new EventLoop({ clock: new VirtualClock() });
 * patch({ time: true });
 * const patient = spawn(() => new Promise((resolve) => setTimeout(resolve, 3_600_000)));
 * spawn(async () => {
 *   assertEquals(await patient.join({ timeout: 10 }), false);
 *   patient.kill();
 *   assert(await patient.join());
 * });
 * await loop.run();
 * assertEquals(loop.time(), 10);
 * unpatch();
 * loop.destroy();
 * ```
 */
export function patch(modules?: PatchOptions): void {
  for (const module of selectModules("patch", modules)) put(module).lasting = true;
}

/**
 * Puts the platform's functions back where {@linkcode patch} has replaced them. What is not patched is left alone.
 * What was begun meanwhile goes on: a cooperative timer can still be cancelled by its own `close()` and by
 * `lib.time.clearTimeout`.
 *
 * @param modules Which; all of them if none is named.
 * @throws {TypeError} If one is named that does not exist.
 */
export function unpatch(modules?: PatchOptions): void {
  for (const module of selectModules("unpatch", modules)) putBack(module);
}

/**
 * Whether {@linkcode patch} has replaced the functions of `module`.
 *
 * @throws {TypeError} If there is no such module.
 */
export function isPatched(module: PatchableModule): boolean {
  checkModule("tell what is patched", module);
  return patchedModules.has(module);
}

/**
 * Patches for a scope. When the result is disposed, what was not patched by {@linkcode patch} is put back, as soon as
 * no other scope needs it: scopes of several tasks may overlap.
 *
 * @param modules Which; all of them if none is named.
 * @throws {TypeError} If one is named that does not exist.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { isPatched, patched } from "@evergreen/evergreen";
 *
 * {
 *   using _ = patched({ time: true });
 *   assert(isPatched("time"));
 * }
 * assert(!isPatched("time"));
 * ```
 */
export function patched(modules?: PatchOptions): Disposable {
  const selected = selectModules("patch", modules);
  const scope: Disposable = {
    [Symbol.dispose]: () => {
      for (const module of selected) {
        const patched = patchedModules.get(module);
        // One that was unpatched meanwhile, and patched again, is not for this scope.
        if (!patched?.scopes.delete(scope)) continue;
        if (patched.scopes.size === 0 && !patched.lasting) putBack(module);
      }
    },
  };
  for (const module of selected) put(module).scopes.add(scope);
  return scope;
}

/** Puts the cooperative functions of a module in place, if they are not. */
function put(module: PatchableModule): Patched {
  let patched = patchedModules.get(module);
  if (patched === undefined) {
    const before = replacements[module].map(replace);
    patched = { before, lasting: false, scopes: new Set() };
    patchedModules.set(module, patched);
  }
  return patched;
}

/** Puts the platform's functions back, if they are not in place. */
function putBack(module: PatchableModule): void {
  const patched = patchedModules.get(module);
  if (patched === undefined) return;
  patchedModules.delete(module);
  replacements[module].forEach(({ object, name }, index) => {
    Object.defineProperty(object, name, patched.before[index]);
  });
}

function replace(
  { object, name, value }: (typeof replacements)["time"][number],
): PropertyDescriptor {
  const before = Object.getOwnPropertyDescriptor(object, name)!;
  const { enumerable } = before;
  Object.defineProperty(object, name, { value, enumerable, configurable: true, writable: true });
  return before;
}
