import { checkModule, type PatchableModule } from "./modules.ts";
import type { SocketFunctions } from "../lib/socket.ts";
import type { TimeFunctions } from "../lib/time.ts";

// Taken when this module is loaded, which is before anything can be patched.
const platformFetch = globalThis.fetch;

const originals = {
  socket: {
    connect: Deno.connect,
    connectTls: Deno.connectTls,
    startTls: Deno.startTls,
    listen: Deno.listen,
    listenTls: Deno.listenTls,
    ...("listenDatagram" in Deno ? { listenDatagram: Deno.listenDatagram } : {}),
  } as SocketFunctions,
  time: {
    setTimeout: globalThis.setTimeout,
    setInterval: globalThis.setInterval,
    clearTimeout: globalThis.clearTimeout,
    clearInterval: globalThis.clearInterval,
    refTimer: Deno.refTimer,
    unrefTimer: Deno.unrefTimer,
  },
  fetch: platformFetch,
};

/** The platform's `fetch`, which has itself as a property, too, as the other modules have their functions. */
export type OriginalFetch = typeof fetch & {
  /** The same function. */
  readonly fetch: typeof fetch;
};

/**
 * The platform's own functions, patched or not.
 *
 * @throws {TypeError} If there is no such module.
 */
export function original(module: "socket"): SocketFunctions;
/** The platform's own timers, patched or not. */
export function original(module: "time"): TimeFunctions;
/** The platform's own `fetch`, patched or not. */
export function original(module: "fetch"): OriginalFetch;
export function original(module: PatchableModule): unknown {
  checkModule("give the original", module);
  // Only for those who ask: it is a property of the platform's own function.
  if (module === "fetch" && !("fetch" in platformFetch)) {
    Object.defineProperty(platformFetch, "fetch", { value: platformFetch, configurable: true });
  }
  return originals[module as keyof typeof originals];
}
