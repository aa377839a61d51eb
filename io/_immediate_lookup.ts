import { lookup as lookupName } from "node:dns";
import { isIP } from "node:net";

/** Addresses are looked up at once, so that bind() is done when it returns. */
export function lookup(
  name: string,
  options: object,
  done: (error: Error | null, address: string, family: number) => void,
): void {
  const family = isIP(name);
  if (family === 0) lookupName(name, options, done as never);
  else done(null, name, family);
}
