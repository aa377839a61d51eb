// deno-lint-ignore-file no-var
const other = require("./common_other.cjs");
var fetch = "its own";
const clearInterval = "its own, too";
exports.functions = () => ({ setTimeout, fetch, clearInterval });
exports.other = other;
exports.filename = __filename;
exports.fails = () => {
  throw new Error("On line 9");
};
exports.later = (name) => import(name);
exports.withProperty = () => ({ import: (name) => name }).import("a property");
