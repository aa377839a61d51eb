/**
 * Crawls a web site with a client that was not written for Evergreen: `ky`, from npm. Start it by
 *
 * ```sh
 * deno run --allow-net --allow-read --allow-env examples/patched_crawler.ts http://localhost:8000/
 * ```
 *
 * `importPatched` loads the client so that whatever it waits for is the loop's. So its requests can be killed and
 * timed out like any blocking call, and what is killed leaves no request behind. The program's own `setTimeout` and
 * `fetch` are the platform's all the while.
 */
import { EventLoop, importPatched, Semaphore, TaskGroup, Timeout } from "@evergreen/evergreen";

/** What is used of the client. */
interface Client {
  get(url: string, options: { retry: number; timeout: false }): { text(): Promise<string> };
}

/** How long a page may take, in milliseconds. */
const PATIENCE = Number(Deno.args[1] ?? 5_000);
/** How many are fetched at the same time. */
const TASKS = 20;

const { default: ky } = await importPatched<{ default: Client }>("npm:ky@1.7.4");

/** Fetches one page. Returns the links in it that lead to the same site. */
async function linksOf(url: string): Promise<string[]> {
  const timeout = new Timeout(PATIENCE);
  try {
    const text = await timeout.run(() => ky.get(url, { retry: 0, timeout: false }).text());
    console.log(`ok      ${url}`);
    return [...text!.matchAll(/href="([^"#]+)/g)]
      .map(([, link]) => new URL(link, url).href)
      .filter((link) => link.startsWith(new URL("/", url).href));
  } catch (error) {
    // What is not a matter of this page, a kill for one, is thrown on.
    if (error !== timeout && (error as Error).name !== "HTTPError") throw error;
    console.log(`${error === timeout ? "slow  " : "failed"}  ${url}`);
    return [];
  }
}

/** Crawls all pages that can be reached from `start`. Returns how many there are. */
async function crawl(start: string): Promise<number> {
  const known = new Set<string>();
  const turn = new Semaphore(TASKS);
  await TaskGroup.run((group) => {
    const visit = (url: string): void => {
      if (known.has(url)) return;
      known.add(url);
      group.spawn(() => turn.with(async () => (await linksOf(url)).forEach(visit)));
    };
    visit(start);
  });
  return known.size;
}

await TaskGroup.run(async (group) => {
  const crawler = group.spawn(async () => console.log(`${await crawl(Deno.args[0])} pages`));
  using _ = EventLoop.current().addSignalHandler("SIGINT", () => crawler.kill());
  await crawler.join();
  if (crawler.signal.aborted) console.log("stopped");
});
