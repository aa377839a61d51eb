/** Says what was given, in an error about it. */
export function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") return `the function ${value.name || "(anonymous)"}`;
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object" && value !== null) {
    return `an object of class ${value.constructor?.name ?? "(none)"}`;
  }
  return String(value);
}

/** Throws unless `value` is a number that can be a delay in milliseconds, negative ones included. */
export function checkDelay(what: string, value: unknown): asserts value is number {
  if (typeof value !== "number") {
    throw new TypeError(`Cannot ${what}: milliseconds must be a number, not ${shown(value)}`);
  }
  if (Number.isNaN(value)) throw new RangeError(`Cannot ${what}: milliseconds must not be NaN`);
}

/** Throws unless `value` is a function. */
export function checkCallback(what: string, value: unknown): void {
  if (value instanceof Promise) {
    throw new TypeError(
      `Cannot ${what}: a function is needed, not a promise; pass the function itself, without calling it`,
    );
  }
  if (typeof value !== "function") {
    throw new TypeError(`Cannot ${what}: a function is needed, not ${shown(value)}`);
  }
}

/** Throws unless `value` is an integer of at least `least`. */
export function checkCount(what: string, value: unknown, least: number): asserts value is number {
  if (typeof value !== "number") {
    throw new TypeError(`${what} must be a number, not ${shown(value)}`);
  }
  if (!(value >= least) || (!Number.isInteger(value) && value !== Infinity)) {
    throw new RangeError(`${what} must be an integer of at least ${least}, not ${value}`);
  }
}
