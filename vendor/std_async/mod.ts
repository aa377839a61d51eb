// `@std/async` from npm, where its code is published without types: they stand in mod.d.ts.
// @ts-types="./mod.d.ts"
export * from "./mod.js";
