Object.defineProperty(exports, "__esModule", { value: true });
Object.defineProperty(exports, "fails", {
  enumerable: true,
  get() {
    throw new Error("Nobody is to ask for this");
  },
});
exports.default = class Default {};
exports["with-a-dash"] = 1;
exports.main = require.main === module;
exports.self = this === exports;
exports.data = require("./data.json").value;
exports.circle = require("./common.cjs").same === require("./common").same;
if (exports.self) return;
throw new Error("This was not to be reached");
