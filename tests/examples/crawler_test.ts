import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { linksIn } from "../../examples/crawler/links.ts";
import { deadUrl } from "../../examples/crawler/site.ts";
import { hasTerminals, Program } from "./_program.ts";

/** How long a page takes that never comes. */
const NEVER = Promise.withResolvers<never>().promise;

/** A site of the test's own, and what was asked of it, in order. */
class Site implements AsyncDisposable {
  readonly asked: string[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #closing = new AbortController();

  constructor(
    pages: Record<string, (request: Request) => Response | Promise<Response>>,
  ) {
    this.#server = Deno.serve({
      hostname: "127.0.0.1",
      port: 0,
      signal: this.#closing.signal,
      onListen: () => {},
    }, (request) => {
      const { pathname } = new URL(request.url);
      this.asked.push(pathname);
      return pages[pathname]?.(request) ?? new Response(null, { status: 404 });
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#server.finished;
  }
}

function page(...links: string[]): Response {
  const anchors = links.map((link) => `<a href="${link}">link</a>`);
  return new Response(anchors.join("\n"), { headers: { "content-type": "text/html" } });
}

function redirect(location: string): Response {
  return new Response(null, { status: 301, headers: { location } });
}

async function crawl(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  await using program = Program.start("crawler.ts", ...args);
  return await program.end();
}

let ownSite: ReturnType<typeof crawl> | undefined;

/** What the crawler says of the site of its own. It takes a while, so it is asked once. */
function crawlOwnSite(): ReturnType<typeof crawl> {
  return ownSite ??= crawl();
}

Deno.test("the crawler crawls a site of its own to its end", async () => {
  const { code, stdout, stderr } = await crawlOwnSite();
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, /^321 pages \(1\.3 MB\), 30 redirects, 22 errors in [\d.]+ s$/m);
  assertMatch(stdout, /^ +12 {2}404 Not Found$/m);
  assertMatch(stdout, /^ +7 {2}500 Internal Server Error$/m);
  assertMatch(stdout, /^ +1 {2}.*Connection refused/m);
  assertMatch(stdout, /^ +1 {2}bad URL$/m);
  assertMatch(stdout, /^ +1 {2}no answer within 2000 ms$/m);
  assertMatch(stdout, /^no answer within 2000 ms: http:\/\/127\.0\.0\.1:\d+\/silent$/m);
});

Deno.test("the crawler's summary draws every page's latency, and names the slowest first", async () => {
  const { stdout } = await crawlOwnSite();
  const [, slowest, latencies] = stdout.split(/\n\nSlowest\n|\n\nLatencies\n/);
  const times = slowest.split("\n").map((line) => parseInt(line));
  assertEquals(times, times.toSorted((a, b) => b - a));
  assertEquals(times.length, 5);
  const counts = Array.from(latencies.matchAll(/^ +< +\d+ ms +(\d+)/gm), ([, n]) => Number(n));
  assertEquals(counts.reduce((a, b) => a + b), 321);
  assertMatch(latencies, /^ +< +\d+ ms +\d+ {2}#{50}$/m);
});

Deno.test("the crawler says how far it is in plain lines where there is no terminal", async () => {
  const { stdout } = await crawlOwnSite();
  const progress = stdout.split("\n").filter((line) => line.endsWith("URLs a second"));
  assertEquals(progress.length, 7);
  assertEquals(stdout.includes("\r"), false);
});

Deno.test("the crawler asks once for each page of a site, and for nothing elsewhere", async () => {
  await using elsewhere = new Site({});
  await using site = new Site({
    "/": () => page("/a", "b#top", "/a?#", "mailto:me@example.org", `${elsewhere.url}x`, "/old"),
    "/a": () => page("/", "/b", "/a"),
    "/b": () => page("/gone"),
    "/old": () => redirect("/b"),
  });
  const { code, stdout } = await crawl(site.url);
  assertEquals(code, 0);
  assertEquals(site.asked.toSorted(), ["/", "/a", "/a", "/b", "/gone", "/old"]);
  assertEquals(elsewhere.asked, []);
  assertStringIncludes(stdout, `404 Not Found: ${site.url}gone`);
  assertMatch(stdout, /^4 pages \(\d+ B\), 1 redirect, 1 error in/m);
});

Deno.test("the crawler follows a site that has moved, but no other redirect to another site", async () => {
  await using other = new Site({});
  await using moved = new Site({
    "/": () => page("/away"),
    "/away": () => redirect(other.url),
  });
  await using site = new Site({ "/": () => redirect(moved.url) });
  const { code } = await crawl(site.url);
  assertEquals(code, 0);
  assertEquals([site.asked, moved.asked, other.asked], [["/"], ["/", "/away"], []]);
});

Deno.test("the crawler asks for no more URLs than it may, and says so", async () => {
  await using site = new Site({ "/": () => page("/1", "/2", "/3") });
  const { stdout } = await crawl("--pages", "3", site.url);
  assertEquals(site.asked.length, 3);
  assertStringIncludes(stdout, "No more than 3 URLs were tried.\n");
});

Deno.test("the crawler reports bad URLs and dead hosts, and crawls the rest", async () => {
  await using site = new Site({ "/": () => page("http://[", "/a"), "/a": () => page() });
  const dead = deadUrl();
  const { code, stdout, stderr } = await crawl("no url", dead, site.url, "ftp://127.0.0.1/");
  assertEquals([code, stderr], [0, ""]);
  assertEquals(site.asked, ["/", "/a"]);
  assertStringIncludes(stdout, "bad URL: no url\n");
  assertStringIncludes(stdout, "bad URL: http://[\n");
  assertMatch(stdout, RegExp(`^.*Connection refused.*: ${dead}$`, "m"));
  assertMatch(stdout, /^.*not supported: ftp:\/\/127\.0\.0\.1\/$/m);
});

Deno.test("the crawler's exit code is 1 when it found no page at all", async () => {
  const { code, stdout } = await crawl(deadUrl());
  assertEquals(code, 1);
  assertStringIncludes(stdout, "0 pages (0 B), 0 redirects, 1 error in");
});

Deno.test("the crawler gives up a page that does not answer in time, and its request", async () => {
  const givenUp = Promise.withResolvers<void>();
  await using site = new Site({
    "/": () => page("/silent", "/next"),
    "/silent": (request) => {
      request.signal.onabort = () => givenUp.resolve();
      return NEVER;
    },
    "/next": () => givenUp.promise.then(() => page()),
  });
  const { stdout } = await crawl("--workers", "1", "--timeout", "1500", site.url);
  assertStringIncludes(stdout, `no answer within 1500 ms: ${site.url}silent\n`);
  assertMatch(stdout, /^2 pages .* 1 error in/m);
});

Deno.test("the crawler gives up a page that does not come to its end, and its request", async () => {
  const givenUp = Promise.withResolvers<void>();
  const endless = new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode("<p>")),
    cancel: () => givenUp.resolve(),
  });
  await using site = new Site({
    "/": () => page("/endless", "/next"),
    "/endless": () => new Response(endless, { headers: { "content-type": "text/html" } }),
    "/next": () => givenUp.promise.then(() => page()),
  });
  const { stdout } = await crawl("--workers", "1", "--timeout", "1500", site.url);
  assertStringIncludes(stdout, `no answer within 1500 ms: ${site.url}endless\n`);
  assertMatch(stdout, /^2 pages .* 1 error in/m);
});

/** A site of which 60 pages answer, and 300 do not. */
function halfSilentSite(): Site {
  const quick = Array.from({ length: 59 }, (_, n) => `/quick/${n}`);
  const silent = Array.from({ length: 300 }, (_, n) => `/silent/${n}`);
  return new Site({
    "/": () => page(...quick, ...silent),
    ...Object.fromEntries(quick.map((path) => [path, () => page()])),
    ...Object.fromEntries(silent.map((path) => [path, () => NEVER])),
  });
}

Deno.test("SIGINT stops the crawler at once, with what it found so far", async () => {
  await using site = halfSilentSite();
  await using program = Program.start("crawler.ts", "--timeout", "600000", site.url);
  await program.printed("50 pages");
  program.kill("SIGINT");
  const { code, stdout, stderr } = await program.end();
  assertEquals([code, stderr], [130, ""]);
  assertStringIncludes(stdout, "Stopped. This was found so far:\n");
  assertMatch(stdout, /^(5|6)\d pages .*, 0 redirects, 0 errors in/m);
  assertMatch(stdout, /^Latencies$/m);
});

Deno.test("the crawler is of use on a terminal: one line of progress, and Ctrl-C", {
  ignore: !hasTerminals(),
}, async () => {
  await using site = halfSilentSite();
  await using program = Program.startOnTerminal("crawler.ts", "--timeout", "600000", site.url);
  await program.printed("50 pages");
  await program.type("\x03");
  const { code, stdout } = await program.end();
  assertEquals(code, 130);
  assertStringIncludes(stdout, "URLs a second\r\x1b[K50 pages");
  assertEquals(stdout.includes("URLs a second\r\n"), false);
  assertStringIncludes(stdout, "\r\x1b[KStopped. This was found so far:\r\n");
});

Deno.test("the crawler says what it can do, and what it cannot make sense of", async () => {
  const help = await crawl("--help");
  assertEquals(help.code, 0);
  assertStringIncludes(help.stdout, "--timeout <ms>");

  for (const args of [["--fast"], ["--workers", "0"], ["--pages", "many"], ["--timeout=-1"]]) {
    const { code, stdout, stderr } = await crawl(...args);
    assertEquals([code, stdout], [2, ""], args.join(" "));
    assertStringIncludes(stderr, args[0].split("=")[0]);
    assertStringIncludes(stderr, "Try --help");
  }
});

Deno.test("linksIn() finds links however they are written, and gives bad ones as they are", () => {
  const html = `<a href="/a">A</a> <A class=x HREF='b?x=1&amp;y=2#z'>B</A> <a title="no link">C</a>
    <a href=c>D</a> <link href="/style.css"> <a\n  href = "http://[bad">E</a> <area href="/map">
    <a href="mailto:me@example.org">F</a>`;
  assertEquals(linksIn(html, "http://example.org/dir/"), [
    "http://example.org/a",
    "http://example.org/dir/b?x=1&y=2",
    "http://example.org/dir/c",
    "http://[bad",
  ]);
  assertEquals(linksIn(`<a href="http://[\x1b[2J">`, "http://example.org/"), ["http://[[2J"]);
});
