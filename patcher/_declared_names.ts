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
  for (const token of tokens(source)) {
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
      } else if (token === "as" && added === before) {
        declared.delete(added);
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

function isWord(token: string): boolean {
  return /^[\p{ID_Start}$_]/u.test(token);
}

/** After these, a slash begins a regular expression and divides nothing. */
const BEFORE_REGEX =
  /(?:^|[=(,[!&|?:{};+\-*%~^<>]|\b(?:return|typeof|case|in|of|do|else|void|delete|throw|new|await|yield))$/;

const TOKEN =
  /\s+|\/\/[^\n]*|\/\*[^]*?\*\/|"(?:[^"\\\n]|\\[^])*"|'(?:[^'\\\n]|\\[^])*'|[\p{ID_Start}$_#][\p{ID_Continue}$\u200c\u200d]*|[0-9][\w.]*|[^]/uy;
const REGEX = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/\w*/y;

/** The words and signs of a source, without its comments, strings and regular expressions. */
function* tokens(source: string): Generator<string> {
  let before = "";
  /** For each template that is open, how many braces are open in its `${}`. */
  const templates: number[] = [];
  let position = 0;
  while (position < source.length) {
    const sign = source[position];
    if (sign === "`" || (sign === "}" && templates.at(-1) === 0)) {
      if (sign === "}") templates.pop();
      position = endOfText(source, position + 1);
      if (source[position - 1] === "{") templates.push(0);
      before = ")";
      continue;
    }
    if (
      sign === "/" && BEFORE_REGEX.test(before) &&
      !/^\/[/*]/.test(source.slice(position, position + 2))
    ) {
      REGEX.lastIndex = position;
      if (REGEX.test(source)) {
        position = REGEX.lastIndex;
        before = ")";
        continue;
      }
    }
    TOKEN.lastIndex = position;
    const token = TOKEN.exec(source)?.[0] ?? sign;
    position += token.length;
    if (/^\s|^\/[/*]/.test(token)) continue;
    if (templates.length > 0 && (sign === "{" || sign === "}")) {
      templates[templates.length - 1] += sign === "{" ? 1 : -1;
    }
    before = token;
    if (sign !== '"' && sign !== "'") yield token;
  }
}

/** Where a piece of a template ends: after its backtick, or after the `${` that interrupts it. */
function endOfText(source: string, from: number): number {
  for (let i = from; i < source.length; i++) {
    if (source[i] === "\\") i++;
    else if (source[i] === "`") return i + 1;
    else if (source[i] === "$" && source[i + 1] === "{") return i + 2;
  }
  return source.length;
}
