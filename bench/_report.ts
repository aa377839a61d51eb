/** One line of the table that the benchmarks print. */
export interface Row {
  /** What was done. */
  operation: string;
  /** What it costs with this library. */
  ours: number;
  /** What the same costs without it. Absent: the bound is on `ours` itself. */
  floor?: number;
  /** The unit of `ours` and `floor`. */
  unit: "ns" | "ms" | "us" | "bytes" | "per second" | "times";
  /** What `ours` may be: at most, or at least, `limit` times `floor`. Absent: for information. */
  bound?: Bound;
}

/** What is asked of a {@linkcode Row}. */
export interface Bound {
  kind: "at most" | "at least";
  limit: number;
}

/** Hand a row to whoever runs this benchmark, as a line of JSON. */
export function report(row: Row): void {
  console.log(JSON.stringify(row));
}

/** Whether `row` keeps its bound. */
export function isKept({ ours, floor = 1, bound }: Row): boolean {
  if (bound === undefined) return true;
  const ratio = ours / floor;
  return bound.kind === "at most" ? ratio <= bound.limit : ratio >= bound.limit;
}

const HEADERS = ["Operation", "Evergreen", "Floor", "Ratio", "Bound", ""];
const WIDTHS = [72, 12, 12, 6, 19, 6];

/** The first two lines of the table. */
export function renderHeader(): string {
  return renderCells(HEADERS) + "\n" +
    renderCells(WIDTHS.map((width, i) => "-".repeat(width - 1) + (i === 0 ? "-" : ":")));
}

/** A row as a line of the table. */
export function renderRow(row: Row): string {
  const { operation, ours, floor, unit, bound } = row;
  return renderCells([
    operation,
    quantity(ours, unit),
    floor === undefined ? "" : quantity(floor, unit),
    floor === undefined ? "" : (ours / floor).toFixed(2),
    bound === undefined
      ? ""
      : `${bound.kind} ${floor === undefined ? quantity(bound.limit, unit) : bound.limit}`,
    bound === undefined ? "" : isKept(row) ? "ok" : "MISSED",
  ]);
}

function renderCells(cells: readonly string[]): string {
  const padded = cells.map((cell, i) =>
    i === 0 ? cell.padEnd(WIDTHS[i]) : cell.padStart(WIDTHS[i])
  );
  return `| ${padded.join(" | ")} |`;
}

function quantity(value: number, unit: Row["unit"]): string {
  const digits = Math.abs(value) < 10 ? 1 : 0;
  const number = value.toLocaleString("en-US", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return unit === "per second" ? `${number}/s` : `${number} ${unit}`;
}
