/**
 * Crawls web sites, a hundred pages at a time. Start it by
 *
 * ```sh
 * deno task demo                          # crawls a small site of its own
 * deno task demo https://example.org/     # crawls that one
 * deno task demo --help
 * ```
 *
 * The heart of it is `crawl()` in crawler/crawl.ts: a pool of tasks, a time that each call may take, and no
 * request left behind. Here is the rest: the crawl is one task, and Ctrl-C kills it.
 */
import { EventLoop, TaskGroup } from "@evergreen/evergreen";
import { type Command, HELP, readCommand, UsageError } from "./crawler/command.ts";
import { crawl } from "./crawler/crawl.ts";
import { Report } from "./crawler/report.ts";
import { Screen } from "./crawler/screen.ts";
import { deadUrl, serveSite } from "./crawler/site.ts";

/** Crawls what the command says, and returns the exit code. */
async function run(command: Command): Promise<number> {
  const loop = EventLoop.current();
  const screen = new Screen();
  const report = new Report(() => loop.time());

  await using site = command.urls.length === 0 ? serveSite() : null;
  const urls = site === null ? command.urls : [site.url, deadUrl()];
  screen.print(`Crawling ${urls.join(" ")}`);

  const stopped = await TaskGroup.run(async (group) => {
    const crawler = group.spawn(async () => {
      for await (const page of crawl(urls, command)) {
        report.add(page);
        if (page.problem !== undefined) screen.print(`${page.problem}: ${page.url}`);
        screen.show(report.progress(), report.size);
      }
    });
    loop.addSignalHandler("SIGINT", () => crawler.kill());
    await crawler.join();
    return crawler.signal.aborted;
  });

  screen.clear();
  if (stopped) screen.print("Stopped. This was found so far:");
  if (report.size === command.pages) screen.print(`No more than ${command.pages} URLs were tried.`);
  screen.print(`\n${report.summary()}`);
  if (stopped) return 130;
  return report.pages > 0 ? 0 : 1;
}

try {
  const command = readCommand(Deno.args);
  if (command.help) console.log(HELP);
  else Deno.exitCode = await run(command);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\nTry --help`);
  Deno.exitCode = 2;
}
