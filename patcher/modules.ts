import { shown } from "../loop/arguments.ts";
import { lib } from "../lib/mod.ts";
import { fetch } from "./fetch.ts";
import { TimedCooperative } from "../lib/promise.ts";

/** What can be patched. */
export type PatchableModule = "socket" | "time" | "fetch";

/** What to patch. If none is named, all of them; `false` takes one out. */
export interface PatchOptions {
  /** The functions of `Deno` that make connections and listen for them. */
  socket?: boolean;
  /** `setTimeout` and its neighbours. */
  time?: boolean;
  /** `fetch`. */
  fetch?: boolean;
  /** All of them, but those that are `false`. */
  all?: boolean;
}

/** One property to be replaced. */
interface Replacement {
  readonly object: object;
  readonly name: string;
  readonly value: unknown;
}

const MODULES: readonly PatchableModule[] = ["socket", "time", "fetch"];

function functionsOf(object: object, functions: object, names: readonly string[]): Replacement[] {
  return names
    .filter((name) => name in object)
    .map((name) => ({ object, name, value: (functions as Record<string, unknown>)[name] }));
}

/** What patching a module replaces. */
export const replacements: Readonly<Record<PatchableModule, readonly Replacement[]>> = {
  socket: functionsOf(Deno, lib.socket, [
    "connect",
    "connectTls",
    "startTls",
    "listen",
    "listenTls",
    "listenDatagram",
  ]).filter(({ value }) => value !== undefined),
  time: [
    ...functionsOf(globalThis, lib.time, [
      "setTimeout",
      "setInterval",
      "clearTimeout",
      "clearInterval",
    ]),
    ...functionsOf(Deno, lib.time, ["refTimer", "unrefTimer"]),
    { object: globalThis, name: "Promise", value: TimedCooperative },
  ],
  fetch: [{ object: globalThis, name: "fetch", value: fetch }],
};

/**
 * The modules that `options` mean.
 *
 * @throws {TypeError} If it names one that does not exist.
 */
export function selectModules(what: string, options: PatchOptions = {}): PatchableModule[] {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(
      `Cannot ${what}: an object such as { time: true } is needed, not ${shown(options)}`,
    );
  }
  for (const [name, value] of Object.entries(options)) {
    if (name !== "all" && !MODULES.includes(name as PatchableModule)) {
      throw new TypeError(
        `Cannot ${what}: there is no module ${shown(name)}, only ${MODULES.join(", ")} and all`,
      );
    }
    if (value !== undefined && typeof value !== "boolean") {
      throw new TypeError(`Cannot ${what}: ${name} must be true or false, not ${shown(value)}`);
    }
  }
  const named = MODULES.some((module) => options[module] === true);
  const all = options.all ?? !named;
  return MODULES.filter((module) => options[module] ?? all);
}

/** Throws unless there is a module of that name. */
export function checkModule(what: string, module: unknown): asserts module is PatchableModule {
  if (MODULES.includes(module as PatchableModule)) return;
  throw new TypeError(
    `Cannot ${what}: there is no module ${shown(module)}, only ${MODULES.join(", ")}`,
  );
}
