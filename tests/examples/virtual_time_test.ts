import { assertEquals } from "@std/assert";
import { Program } from "./_program.ts";

Deno.test("the virtual time example gets over the night at once, and in order", async () => {
  await using program = Program.start("virtual_time.ts");
  const { code, stdout, stderr } = await program.end();
  assertEquals([code, stderr], [0, ""]);
  const lines = stdout.trimEnd().split("\n");
  assertEquals(lines.slice(0, 3), [
    "00:00:30  no answer, again in 1 s",
    "00:01:01  no answer, again in 2 s",
    "00:01:33  no answer, again in 4 s",
  ]);
  assertEquals(lines.slice(-4), [
    "07:17:45  no answer, again in 3600 s",
    "08:00:00  the server is up",
    "08:17:45  the client is done",
    "08:17:45  the server got a letter",
  ]);
});
