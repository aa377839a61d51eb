/**
 * Extensions: packages that add to this library, found by name.
 *
 * | To... | Use |
 * | --- | --- |
 * | load an extension | {@linkcode importExtension} |
 *
 * @module
 */
export { importExtension } from "./import_extension.ts";
