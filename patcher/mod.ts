/**
 * Makes code cooperative that was not written for it: the platform's functions, for the whole program or for one
 * module and what it imports.
 *
 * | To... | Use |
 * | --- | --- |
 * | load a module so that it sees the cooperative versions, and nobody else does | {@linkcode importPatched} |
 * | put the cooperative versions in place for the whole program | {@linkcode patch} |
 * | do so for a scope | {@linkcode patched} |
 * | have the platform's own function, patched or not | {@linkcode original} |
 *
 * @module
 */
export type { PatchableModule, PatchOptions } from "./modules.ts";
export { isPatched, patch, patched, unpatch } from "./patch.ts";
export { importPatched } from "./import_patched.ts";
export { original, type OriginalFetch } from "./original.ts";
