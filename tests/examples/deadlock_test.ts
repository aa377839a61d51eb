import { assertEquals, assertMatch } from "@std/assert";
import { Program } from "./_program.ts";

Deno.test("the deadlock example prints who waits for what, and where in its own code", async () => {
  await using program = Program.start("deadlock.ts");
  const { code, stdout, stderr } = await program.end();
  assertEquals([code, stderr], [0, ""]);
  const [title, alice, bob, end] = stdout.split("\n");
  assertEquals(title, "Every task waits for another one, and nothing can wake any of them:");
  assertMatch(
    alice,
    /^ {2}Alice waits in Lock\.acquire\(\), held by Bob, at file:\S*\/deadlock\.ts:\d+:\d+$/,
  );
  assertMatch(
    bob,
    /^ {2}Bob waits in Lock\.acquire\(\), held by Alice, at file:\S*\/deadlock\.ts:\d+:\d+$/,
  );
  assertEquals(end, "");

  const source = await Deno.readTextFile(new URL("../../examples/deadlock.ts", import.meta.url));
  const line = source.split("\n")[Number(alice.split(":").at(-2)) - 1];
  assertEquals(line.trim(), "using _to = await to.hold();");
});

Deno.test("the report that the documentation shows is what the deadlock example prints", async () => {
  await using program = Program.start("deadlock.ts");
  const { stdout } = await program.end();
  const printed = stdout.replaceAll(/file:\S*\/examples\//g, "file:///home/me/");
  for (const path of ["README.md", "docs/scheduling.md"]) {
    const text = await Deno.readTextFile(new URL(`../../${path}`, import.meta.url));
    assertEquals(text.match(/^Every task waits for another one.*?(?=^```)/ms)?.[0], printed, path);
  }
});
