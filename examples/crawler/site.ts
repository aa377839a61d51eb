import { setTimeout as pause } from "node:timers/promises";

/** How many ordinary pages the site has. */
const PAGES = 300;
const HOUR = 3_600_000;

/** A server, and where it is. */
export interface Site extends AsyncDisposable {
  readonly url: string;
}

/**
 * Serves a site to crawl, on loopback: some of its pages are slow, missing or broken, some have moved, and one
 * never answers. It is a server as any other, and knows nothing of tasks.
 */
export function serveSite(): Site {
  const closing = new AbortController();
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    signal: closing.signal,
    onListen: () => {},
  }, async (request) => {
    const page = pageAt(new URL(request.url).pathname);
    await pause(page.delay, undefined, { signal: closing.signal }).catch(() => {});
    return page.response;
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}/`,
    async [Symbol.asyncDispose]() {
      closing.abort();
      await server.finished;
    },
  };
}

/** The URL of a server that is not there: nobody listens on that port any more. */
export function deadUrl(): string {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return `http://127.0.0.1:${listener.addr.port}/`;
}

/** What the site answers, and after how many milliseconds. */
function pageAt(path: string): { response: Response; delay: number } {
  const [, kind, number] = path.match(/^\/([a-z]*)\/?(\d*)$/) ?? [];
  const n = Number(number);
  switch (kind) {
    case "":
      return { response: html("Home", ["/page/1", "/silent", "http://[nowhere"]), delay: 0 };
    case "page":
      return { response: html(`Page ${n}`, linksOf(n)), delay: 20 + n * 37 % 280 };
    case "slow":
      return { response: html(`Slow page ${n}`, ["/"]), delay: 400 + 2 * n };
    case "moved":
      return { response: redirect(`/page/${n}`), delay: 1 };
    case "broken":
      return { response: new Response("It broke", { status: 500 }), delay: 5 };
    case "silent":
      return { response: html("At last", []), delay: HOUR };
    default:
      return { response: new Response("It is not here", { status: 404 }), delay: 1 };
  }
}

/** Four more pages, and now and then one of another kind. */
function linksOf(n: number): string[] {
  const pages = [4 * n - 2, 4 * n - 1, 4 * n, 4 * n + 1].filter((page) => page <= PAGES);
  const links = pages.map((page) => `/page/${page}`);
  if (n % 10 === 0) links.push(`/moved/${n}`);
  if (n % 15 === 0) links.push(`/slow/${n}`);
  if (n % 25 === 0) links.push(`/missing/${n}`);
  if (n % 40 === 0) links.push(`/broken/${n}`);
  return links;
}

function html(title: string, links: string[]): Response {
  const list = links.map((link) => `<li><a href="${link}">${link}</a></li>`).join("\n");
  const text = "<p>There is not much to read here.</p>\n".repeat(1 + title.length * 13 % 200);
  return new Response(
    `<!doctype html>\n<title>${title}</title>\n<h1>${title}</h1>\n${text}<ul>\n${list}\n</ul>\n`,
    { headers: { "content-type": "text/html; charset=utf-8" } },
  );
}

function redirect(location: string): Response {
  return new Response(null, { status: 302, headers: { location } });
}
