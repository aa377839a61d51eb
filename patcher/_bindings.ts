import { globalWith } from "./_global_object.ts";
import { lib } from "../lib/mod.ts";
import { AllCooperative } from "../lib/promise.ts";
import { fetch } from "./fetch.ts";
import type { PatchableModule } from "./modules.ts";
import { replacements } from "./modules.ts";

const { setTimeout, setInterval, clearTimeout, clearInterval } = lib.time;

/** `Deno` with the functions of these modules replaced. */
function denoWith(...modules: PatchableModule[]): typeof Deno {
  const own: PropertyDescriptorMap = {};
  for (const module of modules) {
    for (const { object, name, value } of replacements[module]) {
      if (object === Deno) {
        own[name] = { value, configurable: true, enumerable: true, writable: true };
      }
    }
  }
  return Object.create(Deno, own);
}

/** `Deno` where both are patched. */
const DenoWithSocketAndTime: typeof Deno = denoWith("socket", "time");
/** `Deno` where only sockets are. */
const DenoWithSocket: typeof Deno = denoWith("socket");
/** `Deno` where only time is. */
const DenoWithTime: typeof Deno = denoWith("time");

const denos: Readonly<Record<string, typeof Deno>> = {
  DenoWithSocketAndTime,
  DenoWithSocket,
  DenoWithTime,
};

/** The global objects, by what they have of their own. */
const globals = new Map<string, typeof globalThis>();

/** What modules see that see these modules patched, by the names they know. */
export function bindingsOf(modules: readonly PatchableModule[]): ReadonlyMap<string, unknown> {
  const bindings = new Map<string, unknown>([["Promise", AllCooperative]]);
  if (modules.includes("fetch")) bindings.set("fetch", fetch);
  if (modules.includes("time")) {
    for (
      const [name, value] of Object.entries({
        setTimeout,
        setInterval,
        clearTimeout,
        clearInterval,
      })
    ) {
      bindings.set(name, value);
    }
  }
  const which = modules.filter((module) => module !== "fetch").map((module) =>
    module === "socket" ? "Socket" : "Time"
  );
  if (which.length > 0) bindings.set("Deno", denos[`DenoWith${which.join("And")}`]);
  const key = modules.join();
  let global = globals.get(key);
  if (global === undefined) globals.set(key, global = globalWith(new Map(bindings)));
  for (const name of ["globalThis", "global", "self"]) bindings.set(name, global);
  return bindings;
}

const SPECIFIER = "data:text/javascript,//evergreen-bindings/";

/** What patched modules import their names from; it leads to {@linkcode bindingsSource}. */
export function bindingsSpecifier(modules: readonly PatchableModule[]): string {
  return SPECIFIER + modules.join("+");
}

/** The source of what {@linkcode bindingsSpecifier} means; `null` for another specifier. */
export function bindingsSource(specifier: string): string | null {
  if (!specifier.startsWith(SPECIFIER)) return null;
  const modules = specifier.slice(SPECIFIER.length).split("+") as PatchableModule[];
  const list = [...bindingsOf(modules).keys()].map((name) =>
    `const $${name} = bindings.get("${name}"); export { $${name} as ${name} };`
  );
  return `import { bindingsOf } from ${JSON.stringify(import.meta.url)};
const bindings = bindingsOf(${JSON.stringify(modules)});
${list.join("\n")}`;
}
