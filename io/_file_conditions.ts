/** What tells one state of a file from another. */
export interface Validators {
  /** Its entity tag, a strong one. */
  readonly etag: string;
  /** When it was changed, in whole seconds as HTTP has them; `null` if the system does not say. */
  readonly changed: number | null;
}

/** A part of a file, both ends included. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** What must be answered in place of the file, as RFC 9110 has it: 412, 304, or nothing. */
export function precondition(headers: Headers, { etag, changed }: Validators): 304 | 412 | null {
  const match = headers.get("if-match");
  if (match !== null) {
    if (!names(match, etag, false)) return 412;
  } else if (changed !== null && changed > dateOf(headers, "if-unmodified-since", Infinity)) {
    return 412;
  }
  const noneMatch = headers.get("if-none-match");
  if (noneMatch !== null) return names(noneMatch, etag, true) ? 304 : null;
  return changed !== null && changed <= dateOf(headers, "if-modified-since", -Infinity)
    ? 304
    : null;
}

/**
 * The part that is asked for. A request for several, or one that makes no sense, is one for the whole file.
 *
 * @returns `null`: the whole file; `"none"`: a part that there is not.
 */
export function rangeOf(
  headers: Headers,
  size: number,
  { etag, changed }: Validators,
): Range | "none" | null {
  const parts = /^bytes=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(headers.get("range") ?? "");
  if (parts === null || parts[1] + parts[2] === "") return null;
  const condition = headers.get("if-range");
  // What was got before must be the very same: an older part would not fit.
  if (condition !== null && condition !== etag && Date.parse(condition) !== changed) return null;
  const [first, last] = [Number(parts[1]), Number(parts[2])];
  if (parts[1] === "") {
    return last === 0 || size === 0 ? "none" : { start: Math.max(size - last, 0), end: size - 1 };
  }
  if (parts[2] !== "" && last < first) return null;
  if (first >= size) return "none";
  return { start: first, end: parts[2] === "" ? size - 1 : Math.min(last, size - 1) };
}

function names(list: string, etag: string, weakly: boolean): boolean {
  if (list.trim() === "*") return true;
  return (list.match(/(?:W\/)?"[^"]*"/g) ?? [])
    .some((each) => each === etag || weakly && each === `W/${etag}`);
}

function dateOf(headers: Headers, name: string, otherwise: number): number {
  const date = Date.parse(headers.get(name) ?? "");
  return Number.isNaN(date) ? otherwise : date;
}
