/**
 * Runs the tests that an npm package ships, as they are, and prints how they ended. Called with "patched" or "plain", the
 * names to leave out, and the test files. They may be written for mocha, whose functions are here, or for tape, or throw where they fail.
 *
 * Patched, each test for mocha is a task of its own.
 */
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { EventLoop, importPatched, spawn } from "../../mod.ts";

type Done = (error?: unknown) => void;
type Body = (this: unknown, done?: Done) => unknown;
type Hook = "before" | "beforeEach" | "afterEach" | "after";

interface Test {
  readonly name: string;
  readonly body: Body;
}

interface Suite extends Record<Hook, Body[]> {
  readonly name: string;
  readonly items: (Suite | Test)[];
}

const HOOKS: readonly Hook[] = ["before", "beforeEach", "afterEach", "after"];
/** What mocha's functions have as `this`. */
const limits = { timeout: () => limits, slow: () => limits };

const [how, slow, ...files] = Deno.args;
const leftOut = new RegExp(slow || "$^");
const isPatched = how === "patched";
const root = suite("");
let open = root;

function suite(name: string): Suite {
  return { name, items: [], before: [], beforeEach: [], afterEach: [], after: [] };
}

const mocha: Record<string, unknown> = {
  describe(name: string, body: () => void): void {
    const outer = open;
    outer.items.push(open = suite(name));
    body.call(limits);
    open = outer;
  },
  it: (name: string, body: Body) => void open.items.push({ name, body }),
};
for (const hook of HOOKS) mocha[hook] = (body: Body) => void open[hook].push(body);
Object.assign(globalThis, mocha);

async function call(body: Body): Promise<void> {
  if (body.length === 0) {
    await body.call(limits);
    return;
  }
  await new Promise<void>((resolve, reject) => {
    body.call(limits, (error) => error ? reject(error) : resolve());
  });
}

async function callAll(bodies: Body[]): Promise<void> {
  for (const body of bodies) await call(body);
}

/** Calls `body`, patched in a task of its own. Returns how it ended. */
async function outcomeOf(body: () => Promise<void>): Promise<string> {
  let outcome = "did not end";
  const run = async () => {
    try {
      await body();
      outcome = "ok";
    } catch (error) {
      outcome = `failed: ${error}`;
    }
  };
  if (isPatched) await spawn(run).join();
  else await run();
  return outcome;
}

async function run(current: Suite, outer: Suite[]): Promise<void> {
  const suites = [...outer, current];
  const path = suites.slice(1).map(({ name }) => name);
  await callAll(current.before);
  for (const item of current.items) {
    if ("items" in item) {
      await run(item, suites);
      continue;
    }
    if (leftOut.test(item.name)) continue;
    const outcome = await outcomeOf(async () => {
      for (const { beforeEach } of suites) await callAll(beforeEach);
      await call(item.body);
      for (const { afterEach } of suites.toReversed()) await callAll(afterEach);
    });
    console.log(`${outcome} - ${[...path, item.name].join(" / ")}`);
  }
  await callAll(current.after);
}

async function main(): Promise<void> {
  // deno-lint-ignore no-explicit-any
  const load = (url: string): Promise<any> => isPatched ? importPatched(url) : import(url);
  for (const file of files) await load(file);
  if (files.some((file) => /require\(['"]tap/.test(Deno.readTextFileSync(new URL(file))))) {
    const tape = await load(pathToFileURL(createRequire(files[0]).resolve("tape")).href);
    await new Promise<void>((resolve) => tape.default.onFinish(resolve));
  }
  await run(root, []);
}

// Those that can run in a browser, too, are to have the `fetch` of the platform here.
Object.assign((await import("node:process")).default, { browser: true });

if (isPatched) {
  spawn(main);
  await EventLoop.current().run();
} else {
  await main();
}
