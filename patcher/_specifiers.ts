import { tokens } from "./_tokens.ts";

/**
 * What stands for a specifier in a blob. The platform looks at the static imports of a blob before it asks the
 * hook, and refuses those that are relative: so they say, as a module that is empty, what they mean.
 */
const CODE = "data:text/javascript,//evergreen/";
const JSON_CODE = 'data:application/json,"evergreen/';

const TYPE = /^\s*(?:with|assert)\s*\{\s*["']?type["']?\s*:\s*["'](\w+)["']/;

/**
 * Has the static imports of a module find what they mean from within a blob.
 *
 * @param own The address of the module.
 */
export function withPortableSpecifiers(code: string, own: string): string {
  let result = "";
  let end = 0;
  let depth = 0;
  let before = "";
  for (const { text, index } of tokens(code)) {
    if (text === "{" || text === "(" || text === "[") depth++;
    else if (text === "}" || text === ")" || text === "]") depth--;
    const isSpecifier = depth === 0 && (before === "from" || before === "import") &&
      (text.startsWith('"') || text.startsWith("'"));
    before = text;
    if (!isSpecifier) continue;
    const type = TYPE.exec(code.slice(index + text.length))?.[1];
    const specifier = text.slice(1, -1);
    // What is neither code nor JSON goes by the hook: it is found by its address.
    const isOther = type !== undefined && type !== "json";
    const address = isOther ? absolute(specifier, own) : portable(specifier, type === "json");
    result += code.slice(end, index) + JSON.stringify(address);
    end = index + text.length;
  }
  return result + code.slice(end);
}

function absolute(specifier: string, own: string): string {
  return /^\.{0,2}\//.test(specifier) ? new URL(specifier, own).href : specifier;
}

function portable(specifier: string, isJson: boolean): string {
  // Without dots, the platform does not take it for the name of a file, of a CommonJS module for one.
  const encoded = encodeURIComponent(specifier).replaceAll(".", "%2E");
  return isJson ? `${JSON_CODE}${encoded}"` : CODE + encoded;
}

/** The specifier that such a stand-in means; `null` if it is none. */
export function meantBy(specifier: string): string | null {
  if (specifier.startsWith(CODE)) return decodeURIComponent(specifier.slice(CODE.length));
  const json = specifier.replaceAll("%22", '"');
  if (!json.startsWith(JSON_CODE)) return null;
  return decodeURIComponent(json.slice(JSON_CODE.length, -1));
}

/** A text with what such stand-ins mean in their place. */
export function withMeanings(text: string): string {
  return text.replaceAll(
    /data:text\/javascript,\/\/evergreen\/[^'"\s]+/g,
    (it) => meantBy(it) ?? it,
  );
}
