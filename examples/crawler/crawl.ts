import {
  cooperate,
  current,
  Queue,
  TaskExit,
  TaskPoolExecutor,
  Timeout,
} from "@evergreen/evergreen";
import { absolute, linksIn } from "./links.ts";

/** What became of one URL. */
export interface Page {
  readonly url: string;
  /** Milliseconds from asking for it until all of it was there, or it was clear that it cannot be had. */
  readonly elapsed: number;
  readonly bytes: number;
  /** Where it redirects to, in place of showing anything. */
  readonly target?: string;
  /** Where it links to. */
  readonly links: readonly string[];
  /** Why it cannot be had. */
  readonly problem?: string;
}

/** The bounds of a crawl. */
export interface Bounds {
  /** How many requests run at a time. */
  readonly workers: number;
  /** How many milliseconds each may take. */
  readonly timeout: number;
  /** How many URLs are asked for in all. */
  readonly pages: number;
}

/**
 * Fetches `starts`, and what they link to on their own origins, and gives each page when it is there. If the task
 * that does this is killed, all its requests are aborted.
 */
export async function* crawl(starts: readonly string[], bounds: Bounds): AsyncGenerator<Page> {
  const pool = new TaskPoolExecutor(bounds.workers);
  const fetched = new Queue<Page>();
  const { signal } = current.task;
  const seen = new Set<string>();
  const entrances = new Set<string>();
  const origins = new Set<string | undefined>([undefined]); // What is no URL has none, and is reported.
  let pending = 0;

  const visit = (url: string): void => {
    if (seen.has(url) || seen.size === bounds.pages || !origins.has(URL.parse(url)?.origin)) return;
    seen.add(url);
    pending++;
    pool.submit(async () => fetched.putNowait(await visited(url, bounds.timeout, signal)));
  };
  const enter = (url: string): void => {
    entrances.add(url);
    origins.add(URL.parse(url)?.origin);
    visit(url);
  };

  try {
    for (const url of starts) enter(absolute(url));
    for (; pending > 0; pending--) {
      const page = await fetched.get();
      yield page;
      page.links.forEach(visit);
      if (page.target === undefined) continue;
      // A site that has moved, to https or to www, is still the one that was asked for.
      if (entrances.has(page.url)) enter(page.target);
      else visit(page.target);
    }
  } finally {
    await pool.shutdown({ cancelFutures: true });
  }
}

/** Fetches a page within a time, and says what became of it. */
async function visited(url: string, timeout: number, stop: AbortSignal): Promise<Page> {
  const start = current.loop.time();
  const page = (outcome: Partial<Page>): Page => {
    return { url, elapsed: current.loop.time() - start, bytes: 0, links: [], ...outcome };
  };
  using limit = new Timeout(timeout).start();
  try {
    return page(await fetchPage(url, stop));
  } catch (error) {
    if (error instanceof TaskExit) throw error; // Nothing became of it: the crawl was stopped.
    return page({ problem: error === limit ? `no answer within ${timeout} ms` : why(error) });
  }
}

/** Fetches a page. However this is left, by a timeout or a kill too, no request is left behind. */
async function fetchPage(url: string, stop: AbortSignal): Promise<Partial<Page>> {
  if (!URL.canParse(url)) return { problem: "bad URL" };
  const request = new AbortController();
  try {
    const response = await cooperate(
      fetch(url, { redirect: "manual", signal: request.signal }),
      { signal: stop },
    );
    const target = response.headers.get("location");
    if (target !== null) return { target: absolute(target, url) };
    if (!response.ok) return { problem: `${response.status} ${response.statusText}`.trim() };
    if (!response.headers.get("content-type")?.startsWith("text/html")) return {};
    const body = await cooperate(response.bytes(), { signal: stop });
    return { bytes: body.length, links: linksIn(new TextDecoder().decode(body), url) };
  } finally {
    request.abort();
  }
}

/** Why a fetch failed. The platform says it at the end of the cause's message. */
function why(error: unknown): string {
  const { cause, message } = error as Error;
  return cause instanceof Error ? cause.message.replace(/^.*\): /s, "") : message;
}
