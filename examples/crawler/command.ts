import { parseArgs } from "node:util";
import type { Bounds } from "./crawl.ts";

/** What `--help` shows. */
export const HELP = `Crawls web sites, many pages at a time

Usage: deno task demo [options] [url...]

It starts at the URLs and follows the links that stay on their sites. Without URLs it serves a small site
of its own on loopback, and crawls that. Ctrl-C stops it, and shows what was found so far.

Options:
  --workers <n>   how many pages are fetched at a time (100)
  --timeout <ms>  how long each may take (10000; on its own site 2000)
  --pages <n>     how many URLs are tried at the most (1000)
  --help          show this

Exit code: 0 if a page was found, 1 if none was, 2 if the command makes no sense, 130 after Ctrl-C`;

/** What the command line asks for. */
export interface Command extends Bounds {
  readonly urls: readonly string[];
  readonly help: boolean;
}

/** The command line makes no sense. */
export class UsageError extends Error {}

/** Reads the command line. */
export function readCommand(args: string[]): Command {
  const { values, positionals: urls } = parsed(args);
  return {
    urls,
    help: values.help,
    workers: count("--workers", values.workers),
    timeout: count("--timeout", values.timeout ?? (urls.length > 0 ? "10000" : "2000")),
    pages: count("--pages", values.pages),
  };
}

function parsed(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        workers: { type: "string", default: "100" },
        timeout: { type: "string" },
        pages: { type: "string", default: "1000" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function count(option: string, given: string): number {
  if (/^[1-9]\d{0,8}$/.test(given)) return Number(given);
  throw new UsageError(`${option} must be a number of at least 1, not ${JSON.stringify(given)}`);
}
