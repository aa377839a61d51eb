exports.same = () => require("./common.cjs");
exports.setTimeout = setTimeout;
