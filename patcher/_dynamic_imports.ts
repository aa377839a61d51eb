import { type Token, tokens } from "./_tokens.ts";

/** What stands for `import` where it is called. */
export const IMPORT = "$evergreenImport";

/**
 * Has the `import()`s of a module call {@linkcode IMPORT}, which gets the platform's own, from within that module,
 * and the mark of the module. What is imported dynamically may have to be fetched first, which takes time that the
 * hook of the platform does not have.
 */
export function withOwnImports(code: string, mark: string, native: string): string {
  if (!/\bimport\s*\(/.test(code)) return code;
  const list = [...tokens(code)];
  let result = "";
  let end = 0;
  list.forEach(({ text, index }, at) => {
    if (text !== "import" || list[at + 1]?.text !== "(" || !isExpression(list, at)) return;
    const open = list[at + 1].index + 1;
    result += `${code.slice(end, index)}${IMPORT}(${native},${JSON.stringify(mark)},`;
    end = open;
  });
  return result + code.slice(end);
}

/** Whether the `import` at this place is the platform's, and no property or method of that name. */
function isExpression(list: readonly Token[], at: number): boolean {
  const isProperty = list[at - 1]?.text === "." && list[at - 2]?.text !== ".";
  if (isProperty) return false;
  let depth = 0;
  for (let i = at + 1; i < list.length; i++) {
    if (list[i].text === "(") depth++;
    if (list[i].text === ")" && --depth === 0) return list[i + 1]?.text !== "{";
  }
  return false;
}

const IMPORTER = "data:text/javascript,//evergreen-importer/";

/**
 * What leads to a module whose default export is the `import()` of another one, a CommonJS one for instance, which
 * has none by itself where it is run as a function.
 *
 * @param address That of the other module, with its mark.
 */
export function importerSpecifier(address: string): string {
  return IMPORTER + address;
}

/** The address that {@linkcode importerSpecifier} was given; `null` for another specifier. */
export function importerOf(specifier: string): string | null {
  return specifier.startsWith(IMPORTER) ? specifier.slice(IMPORTER.length) : null;
}

/** The source of the module that {@linkcode importerSpecifier} leads to. */
export const IMPORTER_SOURCE = "export default (s, o) => import(s, o);";
