import type { Page } from "./crawl.ts";

/** How many of the slowest pages are named. */
const SLOWEST = 5;
/** How many characters the longest bar of the histogram has. */
const BAR = 50;

/** What a crawl has found so far, and how it is said. */
export class Report {
  readonly #time: () => number;
  readonly #start: number;
  readonly #pages: Page[] = [];
  readonly #problems = new Map<string, number>();
  #redirects = 0;
  #errors = 0;
  #bytes = 0;

  /** @param time Tells the time, in milliseconds. */
  constructor(time: () => number) {
    this.#time = time;
    this.#start = time();
  }

  /** How many URLs something is known about. */
  get size(): number {
    return this.#pages.length + this.#redirects + this.#errors;
  }

  /** How many of them are pages. */
  get pages(): number {
    return this.#pages.length;
  }

  add(page: Page): void {
    const { problem } = page;
    this.#bytes += page.bytes;
    if (problem !== undefined) {
      this.#errors++;
      this.#problems.set(problem, (this.#problems.get(problem) ?? 0) + 1);
    } else if (page.target !== undefined) {
      this.#redirects++;
    } else {
      this.#pages.push(page);
    }
  }

  /** How far it is, in a line. */
  progress(): string {
    const rate = Math.round(this.size / this.#seconds());
    return `${this.#counts()}, ${rate} URLs a second`;
  }

  /** All of it. */
  summary(): string {
    const byLatency = this.#pages.toSorted((a, b) => b.elapsed - a.elapsed);
    const latencies = byLatency.map((page) => page.elapsed);
    const problems = [...this.#problems].toSorted(([, a], [, b]) => b - a);
    return [
      `${this.#counts()} in ${this.#seconds().toFixed(1)} s`,
      ...section("Errors", problems.map(([problem, count]) => `${pad(count)}  ${problem}`)),
      ...section("Slowest", byLatency.slice(0, SLOWEST).map((p) => `${ms(p.elapsed)}  ${p.url}`)),
      ...section("Latencies", histogram(latencies)),
    ].join("\n");
  }

  #counts(): string {
    const pages = `${many(this.pages, "page")} (${bytes(this.#bytes)})`;
    return `${pages}, ${many(this.#redirects, "redirect")}, ${many(this.#errors, "error")}`;
  }

  #seconds(): number {
    return (this.#time() - this.#start) / 1_000;
  }
}

function section(title: string, lines: string[]): string[] {
  return lines.length === 0 ? [] : ["", title, ...lines];
}

/** How many values lie below 1, 2, 4, 8 and so on, each with a bar. */
function histogram(values: readonly number[]): string[] {
  const counts: number[] = [];
  for (const value of values) {
    const power = Math.max(0, Math.floor(Math.log2(value)) + 1);
    counts[power] = (counts[power] ?? 0) + 1;
  }
  const first = counts.findIndex((count) => count > 0);
  const most = Math.max(...counts.values().map((count) => count ?? 0));
  return Array.from(counts, (count = 0, power) => {
    const bar = "#".repeat(Math.ceil(count / most * BAR));
    return `  < ${ms(2 ** power)}  ${pad(count)}  ${bar}`.trimEnd();
  }).slice(first);
}

function many(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function pad(count: number): string {
  return String(count).padStart(5);
}

function ms(milliseconds: number): string {
  return `${milliseconds.toFixed().padStart(5)} ms`;
}

function bytes(count: number): string {
  if (count < 1_000) return `${count} B`;
  if (count < 1_000_000) return `${(count / 1_000).toFixed(1)} kB`;
  return `${(count / 1_000_000).toFixed(1)} MB`;
}
