/** After these, a slash begins a regular expression and divides nothing. */
const BEFORE_REGEX =
  /(?:^|[=(,[!&|?:{};+\-*%~^<>]|\b(?:return|typeof|case|in|of|do|else|void|delete|throw|new|await|yield))$/;

const TOKEN =
  /\s+|\/\/[^\n]*|\/\*[^]*?\*\/|"(?:[^"\\\n]|\\[^])*"|'(?:[^'\\\n]|\\[^])*'|[\p{ID_Start}$_#][\p{ID_Continue}$\u200c\u200d]*|[0-9][\w.]*|[^]/uy;
const REGEX = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/\w*/y;

/** A word, a sign, or a string with its quotes, and where it stands. */
export interface Token {
  readonly text: string;
  readonly index: number;
}

/** The words, signs and strings of a source, without its comments, templates and regular expressions. */
export function* tokens(source: string): Generator<Token> {
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
    before = sign === '"' || sign === "'" ? ")" : token;
    yield { text: token, index: position - token.length };
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
