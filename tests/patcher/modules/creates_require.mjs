import module, { createRequire } from "node:module";

const require = createRequire(import.meta.url);
export const { other } = require("./common.cjs");
export const required = other.setTimeout;
export const same = module.createRequire(new URL(import.meta.url))("./common.cjs").other === other;
export const isModule = typeof module.builtinModules === "object" && typeof module === "function";
export const refused = () => createRequire("./relative");
