const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const INLINE = /\n?\/\/# sourceMappingURL=data:application\/json;base64,([\w+/=]+)\s*$/;

/** Says at the end of `code` that it is that of the file `url`, line by line and word by word. */
export function withIdentityMap(code: string, url: string): string {
  let mappings = "";
  let before = 0;
  let lineBefore = 0;
  code.split("\n").forEach((text, line) => {
    if (line > 0) mappings += ";";
    let column = 0;
    for (const { index } of text.matchAll(/[\w$]+|[^\s\w$]/g)) {
      const isFirst = mappings === "" || mappings.endsWith(";");
      mappings += (isFirst ? "" : ",") + number(index - column) + "A" +
        number(line - lineBefore) + number(index - before);
      lineBefore = line;
      before = column = index;
    }
  });
  return withMap(code, { version: 3, sources: [url], names: [], mappings });
}

/** Has the map at the end of `code` name the file `url`. */
export function withMapOf(code: string, url: string): string {
  const map = INLINE.exec(code);
  if (map === null) return withIdentityMap(code, url);
  const parsed = JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(map[1]), byteOf)));
  return withMap(code.slice(0, map.index), {
    version: 3,
    sources: [url],
    names: parsed.names ?? [],
    mappings: parsed.mappings,
  });
}

function withMap(code: string, map: unknown): string {
  const text = btoa(JSON.stringify(map).replaceAll(/[^\0-\x7f]/g, escaped));
  return `${code}\n//# sourceMappingURL=data:application/json;base64,${text}\n`;
}

function byteOf(character: string): number {
  return character.charCodeAt(0);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** A number as source maps have it: five bits to a digit, the sign in the lowest. */
function number(value: number): string {
  let rest = value < 0 ? (-value << 1) | 1 : value << 1;
  let text = "";
  do {
    const digit = rest & 31;
    rest >>>= 5;
    text += DIGITS[rest > 0 ? digit | 32 : digit];
  } while (rest > 0);
  return text;
}
