// Packages from npm whose tests are in the package: they must give patched what they give unpatched.
import { assert, assertEquals } from "@std/assert";

const RUNNER = new URL("./run_own_tests.ts", import.meta.url).href;

interface Package {
  readonly name: string;
  readonly uses: string;
  /** Its tests, and how many successes they print. */
  readonly tests: readonly string[];
  readonly successes: number;
  /** Those that are left out, since they take seconds. */
  readonly slow?: RegExp;
  /** The ports that the tests listen at. They get others, which are free. */
  readonly ports?: readonly number[];
}

const packages: readonly Package[] = [
  {
    name: "promise-retry",
    uses: "timers",
    tests: ["test/test.js"],
    slow: /attempt number|exceeded|chain|passed first|with undefined/,
    successes: 8,
  },
  {
    name: "reconnect-core",
    uses: "timers",
    tests: ["test/attempts.js", "test/connection.js", "test/reconnection.js"],
    successes: 44,
  },
  {
    name: "tcp-port-used",
    uses: "node:net and timers",
    tests: ["test.js"],
    slow: /after timeout|to timeout|should timeout/,
    successes: 43,
    ports: [44201, 44202, 44203, 44204, 44205],
  },
  {
    name: "carrier",
    uses: "node:net",
    tests: ["test/test_line_breaks.js", "test/test_concatenation.js"],
    successes: 4,
    ports: [4001, 4002, 4003, 4004, 4005, 4006],
  },
  {
    name: "hyperquest",
    uses: "node:http",
    tests: ["test/get.js", "test/many.js", "test/post.js", "test/auth.js"],
    successes: 27,
  },
  {
    name: "r2",
    uses: "fetch",
    tests: ["test/test-basics.js", "test/test-responses.js"],
    successes: 34,
    ports: [1123],
  },
];

/** The packages, and what their tests need. */
const dependencies = {
  "promise-retry": "2.0.1",
  "reconnect-core": "1.3.0",
  "tcp-port-used": "1.0.3",
  "carrier": "0.3.0",
  "hyperquest": "2.1.3",
  "r2": "2.0.1",
  "body": "5.1.0",
  "buffer-from": "1.1.2",
  "expect.js": "0.3.1",
  "sleep-promise": "9.1.0",
  "tape": "5.10.2",
  "through2": "2.0.5",
};

async function deno(cwd: string, ...args: string[]): Promise<string> {
  const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const text = new TextDecoder().decode(stdout);
  if (!success) {
    throw new Error(`deno ${args.join(" ")}: ${text}${new TextDecoder().decode(stderr)}`);
  }
  return text;
}

/** Makes a folder with the packages installed. */
async function install(): Promise<string> {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/package.json`, JSON.stringify({ dependencies }));
  await Deno.writeTextFile(`${folder}/deno.json`, `{ "nodeModulesDir": "manual", "lock": false }`);
  await deno(folder, "install", "--quiet", "--node-modules-linker=hoisted");
  // What tests for tap use, tape has, too, and tap is written for the inner parts of Node.
  await Deno.mkdir(`${folder}/node_modules/tap`);
  await Deno.writeTextFile(
    `${folder}/node_modules/tap/index.js`,
    `module.exports = require("tape");`,
  );
  return folder;
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Copies a package, with free ports in its tests. What is installed may be shared with other programs. */
async function copy(from: string, to: string, ports: ReadonlyMap<number, number>): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) {
      await copy(`${from}/${name}`, `${to}/${name}`, ports);
      continue;
    }
    const text = await Deno.readTextFile(`${from}/${name}`);
    const numbers = /\b\d{4,5}\b/g;
    const changed = text.replace(numbers, (port) => `${ports.get(Number(port)) ?? port}`);
    await Deno.writeTextFile(`${to}/${name}`, changed);
  }
}

/** Runs the tests of a package. Returns what they print. */
async function runTests(
  folder: string,
  { name, tests, slow, ports = [] }: Package,
  how: "plain" | "patched",
): Promise<string> {
  const path = `${folder}/${how}/${name}`;
  const free = new Map(ports.map((port) => [port, freePort()]));
  await copy(`${folder}/node_modules/${name}`, path, free);
  // Where it is now, the platform does not take it for a package.
  const about = JSON.parse(await Deno.readTextFile(`${path}/package.json`));
  await Deno.writeTextFile(
    `${path}/package.json`,
    JSON.stringify({ ...about, type: "commonjs" }),
  );
  const files = tests.map((test) => new URL(`file://${path}/${test}`).href);
  const options = ["--config=deno.json", "--no-check", "--allow-all"];
  return await deno(folder, "run", ...options, RUNNER, how, slow?.source ?? "", ...files);
}

Deno.test("packages' own tests give patched what they give unpatched", async (t) => {
  const folder = await install();
  // Some of them wait for seconds, so all are run at the same time.
  const runs = packages.map((each) =>
    Promise.all([runTests(folder, each, "plain"), runTests(folder, each, "patched")])
  );
  await Promise.allSettled(runs);
  for (const [index, { name, uses, successes }] of packages.entries()) {
    await t.step(`${name}, which uses ${uses}`, async () => {
      const [plain, patched] = await runs[index];
      assertEquals(patched, plain);
      assertEquals(plain.match(/^ok /gm)?.length, successes);
      assert(!/^(?:not ok|failed|did not end)/m.test(plain));
    });
  }
  await Deno.remove(folder, { recursive: true });
});
