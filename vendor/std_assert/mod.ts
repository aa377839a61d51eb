// `@std/assert` from npm, where its code is published without types: they stand in mod.d.ts.
// @ts-types="./mod.d.ts"
export * from "npm:deno-std@1.4.0/assert/mod.js";
