import { tokens } from "./_tokens.ts";

/**
 * The names among `names` that a module has for itself at its top level: declared there, or imported. It keeps
 * them.
 *
 * It is read by its tokens, not parsed: a parser for TypeScript is many times as large as all of this library.
 * Where the reading errs, the engine finds the name declared twice, says which one, and the module is loaded again.
 */
export function declaredNames(source: string, names: readonly string[]): Set<string> {
  const declared = new Set<string>();
  const wanted = names.filter((name) => source.includes(name));
  if (wanted.length === 0) return declared;
  let depth = 0;
  /** What is being declared: one name, or all that come until the names end. */
  let declaring: "nothing" | "one" | "variables" | "imports" = "nothing";
  let before = "";
  let added = "";
  for (const { text: token } of tokens(source)) {
    if (isText(token)) continue;
    if (OPENS.has(token)) {
      if (declaring === "one") declaring = "nothing";
      depth++;
    } else if (CLOSES.has(token)) {
      depth--;
    } else if (depth === 0 && KEYWORDS[token] !== undefined) {
      // What is declared to be somewhere else is there for the compiler only.
      declaring = before === "declare" ? "nothing" : KEYWORDS[token];
    } else if (declaring !== "nothing") {
      // Between the names of variables there is a comma; their types and values are none of their names.
      const next = declaring === "variables" && isWord(before) && KEYWORDS[before] === undefined;
      if (depth === 0 && (ENDS_NAMES.has(token) || next)) {
        declaring = "nothing";
      } else if (added === before && (token === "as" || token === ":")) {
        declared.delete(added); // It is the name of something else, which gets another one here.
      } else if (wanted.includes(token)) {
        declared.add(token);
        added = token;
      }
      if (declaring === "one" && token !== "*") declaring = "nothing";
    }
    before = token;
  }
  return declared;
}

const OPENS = new Set(["{", "(", "["]);
const CLOSES = new Set(["}", ")", "]"]);
const KEYWORDS: Readonly<Record<string, "one" | "variables" | "imports">> = Object.assign(
  Object.create(null),
  {
    import: "imports",
    const: "variables",
    let: "variables",
    var: "variables",
    function: "one",
    class: "one",
    enum: "one",
    namespace: "one",
  },
);
const ENDS_NAMES = new Set(["=", ";", ":", "from", "."]);

function isText(token: string): boolean {
  return token.startsWith('"') || token.startsWith("'");
}

function isWord(token: string): boolean {
  return /^[\p{ID_Start}$_]/u.test(token);
}
