import {
  checkModule,
  type PatchableModule,
  type PatchOptions,
  replacements,
  selectModules,
} from "./modules.ts";

/** What was there before, for each module that is patched. */
const saved = new Map<PatchableModule, PropertyDescriptor[]>();

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
  for (const module of selectModules("patch", modules)) {
    if (saved.has(module)) continue;
    saved.set(module, replacements[module].map(replace));
  }
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
  for (const module of selectModules("unpatch", modules)) {
    const before = saved.get(module);
    if (before === undefined) continue;
    saved.delete(module);
    replacements[module].forEach(({ object, name }, index) => {
      Object.defineProperty(object, name, before[index]);
    });
  }
}

/**
 * Whether {@linkcode patch} has replaced the functions of `module`.
 *
 * @throws {TypeError} If there is no such module.
 */
export function isPatched(module: PatchableModule): boolean {
  checkModule("tell what is patched", module);
  return saved.has(module);
}

/**
 * Patches for a scope: what was not patched before is put back when the result is disposed.
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
  let fresh = selectModules("patch", modules).filter((module) => !saved.has(module));
  const these = Object.fromEntries(fresh.map((module) => [module, true]));
  if (fresh.length > 0) patch(these);
  return {
    [Symbol.dispose]: () => {
      if (fresh.length > 0) unpatch(these);
      fresh = []; // What is patched afterwards is somebody else's.
    },
  };
}

function replace(
  { object, name, value }: (typeof replacements)["time"][number],
): PropertyDescriptor {
  const before = Object.getOwnPropertyDescriptor(object, name)!;
  const { enumerable } = before;
  Object.defineProperty(object, name, { value, enumerable, configurable: true, writable: true });
  return before;
}
