import { assertEquals } from "@std/assert";

const EXAMPLE = new URL("../../examples/patched_crawler.ts", import.meta.url).href;
const pages: Record<string, string> = {
  "/": `<a href="/a">a</a> <a href="/b#there">b</a> <a href="/missing">?</a>`,
  "/a": `<a href="/b">b</a> <a href="https://elsewhere.invalid/">no</a>`,
  "/b": `<a href="/">home</a> <a href="/slow">slow</a>`,
};

/** Runs the example on a site of its own; `asked` is called for the page that never comes. */
async function crawl(
  patience: string,
  asked: (process: Deno.ChildProcess) => void,
): Promise<{ lines: string[]; code: number; gone: number }> {
  let gone = 0;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const { pathname } = new URL(request.url);
    if (pathname !== "/slow") {
      return new Response(pages[pathname] ?? "", { status: pathname in pages ? 200 : 404 });
    }
    asked(process);
    const { promise, resolve } = Promise.withResolvers<Response>();
    request.signal.addEventListener("abort", () => {
      gone++;
      resolve(new Response());
    });
    return promise;
  });
  const process = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--allow-net", "--allow-read", "--allow-env", "--quiet"],
      ...[EXAMPLE, `http://127.0.0.1:${server.addr.port}/`, patience],
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const { stdout, code } = await process.output();
  await server.shutdown();
  const text = new TextDecoder().decode(stdout).replaceAll(/http:\/\/[^/]*/g, "");
  return { lines: text.trim().split("\n"), code, gone };
}

Deno.test("examples/patched_crawler.ts crawls, and gives up a page that does not come", async () => {
  const { lines, code, gone } = await crawl("300", () => {});
  assertEquals(lines.sort(), [
    "5 pages",
    "failed  /missing",
    "ok      /",
    "ok      /a",
    "ok      /b",
    "slow    /slow",
  ]);
  assertEquals([code, gone], [0, 1]);
});

Deno.test("examples/patched_crawler.ts is killed in the middle of a request, and ends", async () => {
  const { lines, code, gone } = await crawl("60000", (process) => process.kill("SIGINT"));
  assertEquals(lines.at(-1), "stopped");
  assertEquals([code, gone], [0, 1]);
});
