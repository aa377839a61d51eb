class OddError extends RangeError {}
exports.OddError = OddError;
throw Object.assign(new OddError("It is odd"), { code: 7 });
