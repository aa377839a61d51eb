import { constants } from "node:os";
import { getSystemErrorMap } from "node:util";

const numbers: Record<string, number> = { ...constants.errno };
/** The platform's own table: for each number, negated, its name and text. */
const table: Map<number, [string, string]> = getSystemErrorMap();
const errorcode: Record<number, string> = {};
for (const [name, number] of Object.entries(numbers)) {
  // Where a number has two names, it is the one of the platform's table.
  errorcode[number] = table.get(-number)?.[0] ?? errorcode[number] ?? name;
}

/** The names and numbers of the system's errors, and what is made of them. */
export type Errno = Readonly<typeof constants.errno> & {
  /** For each number its name. */
  readonly errorcode: Readonly<Record<number, string>>;
  /** What a number means, in words. */
  strerror(errno: number): string;
};

/**
 * The system's errors: their numbers by name, their names by number and what they mean. All of it comes from the
 * platform, so it is right for the system that the program runs on. It is what Python has in `errno` and
 * `os.strerror`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { errno } from "@evergreen/evergreen";
 *
 * assertEquals(errno.errorcode[errno.ECONNREFUSED], "ECONNREFUSED");
 * assertEquals(errno.strerror(errno.ECONNREFUSED), "connection refused");
 * ```
 */
export const errno: Errno = Object.freeze({
  ...constants.errno,
  errorcode: Object.freeze(errorcode),
  strerror(errno: number): string {
    return table.get(-errno)?.[1] ?? errorcode[errno] ?? `unknown error ${errno}`;
  },
});
