/**
 * Whether the program may do things with a path. Where it may not, trying would ask whoever sits at the terminal, which
 * is too much for what can be done without.
 */
export function isGranted(path: string, ...kinds: ("read" | "write")[]): boolean {
  return kinds.every((name) => Deno.permissions.querySync({ name, path }).state === "granted");
}
