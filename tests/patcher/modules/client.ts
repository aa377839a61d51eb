// Imported by the tests, plainly and patched.
import data from "./data.json" with { type: "json" };
import { nap } from "./nap.js";

interface Names {
  readonly [name: string]: string;
}

export const url = import.meta.url;
export const filename = import.meta.filename;
export const value: number = data.value;
export { nap };

export function functions(): Record<string, unknown> {
  return { setTimeout, setInterval, clearTimeout, clearInterval, fetch, connect: Deno.connect };
}

export async function napTwice(ms: number): Promise<number> {
  await nap(ms);
  await new Promise<void>((resolve) => {
    setTimeout(resolve, ms);
  });
  return data.value;
}

export function cycle(): boolean {
  return typeof nap === "function";
}

export async function laterImport(): Promise<unknown> {
  return (await import("./later.mjs")).own();
}

export const names: Names = { a: "b" };

export function fails(): never {
  throw new Error("On line 37");
}

export const resolved = (specifier: string): string => import.meta.resolve(specifier);
export const pickedLater = (name: string): Promise<unknown> => import(name);
