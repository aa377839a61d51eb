import { shown } from "../loop/arguments.ts";

/** Throws unless `size` is a number of bytes of at least `least`. */
export function checkSize(what: string, size: unknown, least: number): void {
  if (typeof size !== "number") {
    throw new TypeError(`Cannot ${what}: the number of bytes must be a number, not ${shown(size)}`);
  }
  if (!(size >= least) || (!Number.isInteger(size) && size !== Infinity)) {
    throw new RangeError(
      `Cannot ${what}: the number of bytes must be an integer of at least ${least}, not ${size}`,
    );
  }
}
