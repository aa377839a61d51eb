// deno-fmt-ignore-file
// What is easily misread.
import text from "./text.txt" with { type: "text" };
import * as Deno from "./own_fetch.ts";

function plain<C>(value: C, _context: unknown): C { return value; } @plain class Decorated { timer = setTimeout; }
const { fetch: other, setInterval = "its own" } = { fetch: "another name" } as Record<string, unknown>;
const clearTimeout: unknown = /const fetch = `/.test("x") ? 1 : `${`nested ${setTimeout.name}`}`;

export const decorated: unknown = new Decorated().timer;
export const names: unknown[] = [other, setInterval, clearTimeout, Deno.fetch()];
export const platforms: unknown[] = [fetch, clearInterval];
export const globals: boolean[] = [
  globalThis === globalThis.globalThis,
  self === globalThis,
  self.setTimeout === setTimeout,
  globalThis.Deno.connect === self.Deno.connect,
];
export { text };
