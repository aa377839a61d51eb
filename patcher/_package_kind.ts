import { existsSync, readFileSync } from "node:fs";

const SYNTAX = /^\s*(?:import\b(?!\s*\()|export\b)/m;

/** Whether the file at `url` is CommonJS, by the rules of Node and Deno. */
export function isCommonJs(url: string, source: string): boolean {
  const path = new URL(url).pathname;
  if (/\.c[jt]s$/.test(path)) return true;
  if (!path.endsWith(".js")) return false;
  const type = packageType(url);
  if (type !== undefined) return type === "commonjs";
  return isInPackage(url) && !SYNTAX.test(source);
}

/** Whether it is a file of an npm package. */
export function isInPackage(url: string): boolean {
  return /\/node_modules\/|\/npm\/[^/]+\//.test(url);
}

/** The `type` that the nearest `package.json` gives. */
function packageType(url: string): string | undefined {
  for (let folder = new URL("./", url);; folder = new URL("../", folder)) {
    const file = new URL("package.json", folder);
    try {
      if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8")).type;
    } catch {
      return undefined; // It may not be read, or says nothing: that is no reason not to load the module.
    }
    if (folder.pathname === "/" || folder.pathname === new URL("../", folder).pathname) {
      return undefined;
    }
  }
}
