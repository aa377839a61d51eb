// What patched modules see in the place of the platform's names. They import it from here, each name under
// its own.
import { lib } from "../lib/mod.ts";
import { AllCooperative } from "./_promise.ts";
import { fetch } from "./fetch.ts";
import type { PatchableModule } from "./modules.ts";
import { replacements } from "./modules.ts";

export { AllCooperative as Promise, fetch };
export const { setTimeout, setInterval, clearTimeout, clearInterval } = lib.time;

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
export const DenoWithSocketAndTime: typeof Deno = denoWith("socket", "time");
/** `Deno` where only sockets are. */
export const DenoWithSocket: typeof Deno = denoWith("socket");
/** `Deno` where only time is. */
export const DenoWithTime: typeof Deno = denoWith("time");

/** What a module imports that sees these modules patched: the names it knows, by the names of this module's. */
export function bindingsOf(modules: readonly PatchableModule[]): ReadonlyMap<string, string> {
  const bindings = new Map([["Promise", "Promise"]]);
  if (modules.includes("fetch")) bindings.set("fetch", "fetch");
  if (modules.includes("time")) {
    for (const name of ["setTimeout", "setInterval", "clearTimeout", "clearInterval"]) {
      bindings.set(name, name);
    }
  }
  const both = modules.includes("socket") && modules.includes("time");
  if (both) bindings.set("Deno", "DenoWithSocketAndTime");
  else if (modules.includes("socket")) bindings.set("Deno", "DenoWithSocket");
  else if (modules.includes("time")) bindings.set("Deno", "DenoWithTime");
  return bindings;
}
