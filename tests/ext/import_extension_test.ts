import { assertEquals, assertRejects } from "@std/assert";
import { importExtension } from "../../mod.ts";
import { runLoop } from "../run_loop.ts";

const ROOT = new URL("../../", import.meta.url);

/** Runs a file of `examples/extension`, with its import map. */
async function run(...args: string[]): Promise<string> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-read", "--config", "examples/extension/deno.json", ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

Deno.test("importExtension() finds what the import map calls evergreen-...", async () => {
  assertEquals(await run("examples/extension/main.ts"), "tick 1\ntick 2\ntick 3\n");
});

Deno.test("importExtension() loads an extension once, and it uses the very same library", async () => {
  const program = `
    import { importExtension, Task } from "@evergreen/evergreen";
    const [a, b] = [await importExtension("every"), await importExtension("every")];
    const task = a.every(1_000, () => {});
    console.log(a === b, task instanceof Task);
    task.kill();
  `;
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(file, program);
  assertEquals(await run(file), "true true\n");
  await Deno.remove(file);
});

Deno.test("importExtension() says so if the import map has no such extension", () =>
  runLoop(async () => {
    const error = await assertRejects(
      () => importExtension("missing"),
      TypeError,
      'the import map of the program has no "evergreen-missing"',
    );
    assertEquals((error.cause as Error).name, "TypeError");
  }));

Deno.test("importExtension() refuses what cannot be the name of an extension", () =>
  runLoop(async () => {
    for (const name of ["", "../x", "a/b", "Foo", "-x", 1, null]) {
      await assertRejects(
        () => importExtension(name as string),
        TypeError,
        "its name must be like",
      );
    }
  }));
