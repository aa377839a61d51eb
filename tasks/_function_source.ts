import { shown } from "../loop/arguments.ts";
import { ModuleFunction } from "./module_function.ts";

/** What a worker is to call: the source of a function, or a module and the name of its export. */
export type Target = readonly [source: string] | readonly [module: string, name: string];

const sources = new WeakMap<(...args: never[]) => unknown, Target>();

/**
 * Says what a worker is to call for `fn`.
 *
 * @throws {TypeError} If it is a function that cannot be sent by its source.
 */
export function targetOf(fn: unknown): Target {
  if (fn instanceof ModuleFunction) return [fn.module, fn.name];
  if (typeof fn !== "function") {
    throw new TypeError(
      `Cannot submit a call: a function or moduleFunction(url, name) is needed, not ${shown(fn)}`,
    );
  }
  const known = sources.get(fn as () => unknown);
  if (known !== undefined) return known;
  const target = [sourceOf(fn as () => unknown)] as const;
  sources.set(fn as () => unknown, target);
  return target;
}

function sourceOf(fn: (...args: never[]) => unknown): string {
  const source = Function.prototype.toString.call(fn);
  if (/\{\s*\[native code\]\s*\}$/.test(source)) {
    throw refusal(fn, fn.name.startsWith("bound ") ? "it is bound" : "it is native");
  }
  if (/^class\b/.test(source)) throw refusal(fn, "it is a class");
  try {
    // An expression that is a function does nothing; anything else is no source to send.
    compile(source);
  } catch {
    throw refusal(
      fn,
      "its source stands for no function by itself, being that of a method in short form",
    );
  }
  return source;
}

function refusal(fn: (...args: never[]) => unknown, why: string): TypeError {
  const name = fn.name.replace(/^bound /, "") || "(anonymous)";
  return new TypeError(
    `Cannot send the function ${name} to a worker: ${why}; write function (...) { ... } or (...) => ..., ` +
      `or export it from a module and give moduleFunction(url, ${shown(name)})`,
  );
}

/** Makes a function of its source. It is strict, as all code of modules is. */
export function compile(source: string): (...args: never[]) => unknown {
  return (0, eval)(`"use strict"; (${source})`);
}
