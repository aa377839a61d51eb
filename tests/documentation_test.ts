import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../", import.meta.url);
const PAGES = [
  "README.md",
  "docs/scheduling.md",
  "docs/cancellation.md",
  "docs/testing.md",
  "docs/threads.md",
  "docs/patching.md",
  "docs/serving.md",
  "docs/streams.md",
  "docs/descriptors.md",
  "docs/extensions.md",
  "docs/performance.md",
];

Deno.test("every guide is one of the pages that are checked here", async () => {
  const guides = await Array.fromAsync(Deno.readDir(new URL("docs/", ROOT)), ({ name }) => name);
  assertEquals(guides.map((name) => `docs/${name}`).toSorted(), PAGES.slice(1).toSorted());
});

for (const page of PAGES) {
  Deno.test(`every link of ${page} to a file of the repository leads to one`, async () => {
    const url = new URL(page, ROOT);
    const text = await Deno.readTextFile(url);
    const links = Array.from(text.matchAll(/\]\((?!https:)([^)]+)\)/g), ([, link]) => link);
    for (const link of links) assert((await Deno.stat(new URL(link, url))).isFile, link);
  });
}

Deno.test("the README names only tasks that deno.json has", async () => {
  const readme = await Deno.readTextFile(new URL("README.md", ROOT));
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const named = Array.from(readme.matchAll(/\bdeno(?:@\S+)? task (\w+)/g), ([, name]) => name);
  assert(named.length > 0);
  for (const name of new Set(named)) assert(name in tasks, name);
});
