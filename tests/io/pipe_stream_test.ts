import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { PipeError, PipeStream } from "../../mod.ts";

const library = new URL("../../mod.ts", import.meta.url).href;

/** Runs a program by a shell, which gives it descriptors. */
async function shell(command: string, body: string): Promise<string> {
  const script = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(
    script,
    `import { PipeStream, spawn, sleep, TimeoutError } from "${library}";\n${body}`,
  );
  try {
    const { stdout, stderr, code } = await new Deno.Command("bash", {
      args: ["-c", command.replace("PROGRAM", `"${Deno.execPath()}" run -A -q ${script}`)],
    }).output();
    const errors = new TextDecoder().decode(stderr);
    assertEquals([code, errors], [0, ""]);
    return new TextDecoder().decode(stdout);
  } finally {
    await Deno.remove(script);
  }
}

const ignore = Deno.build.os === "windows";

const READ = `
  const pipe = new PipeStream();
  pipe.open(3);
  for await (const line of pipe.lines()) console.log("<" + line + ">");
  pipe.close();
`;

Deno.test({
  name: "an inherited pipe is read to its end",
  ignore,
  fn: async () =>
    assertEquals(
      await shell("PROGRAM 3< <(echo one; sleep 0.1; printf two)", READ),
      "<one>\n<two>\n",
    ),
});

Deno.test({
  name: "an inherited file is read to its end",
  ignore,
  fn: async () => assertEquals(await shell("PROGRAM 3<<< 'in a file'", READ), "<in a file>\n"),
});

Deno.test({
  name: "an inherited pipe is written, however slowly it is read",
  ignore,
  async fn() {
    const answer = await shell(
      "PROGRAM 4> >(sleep 0.2; wc -c) | cat",
      `const pipe = new PipeStream();
       pipe.open(4);
       for (let i = 0; i < 100; i++) await pipe.write("x".repeat(10_000));
       await pipe.flush();
       pipe.close();`,
    );
    assertEquals(answer.trim(), "1000000");
  },
});

Deno.test({
  name: "a read of an inherited pipe that times out loses nothing, and keeps no program alive",
  ignore,
  async fn() {
    const answer = await shell(
      "PROGRAM 3< <(sleep 0.3; echo late; sleep 5)",
      `const pipe = new PipeStream();
       pipe.open(3);
       try { await pipe.read(undefined, { timeout: 20 }); } catch (e) { console.log(e.name); }
       console.log(new TextDecoder().decode(await pipe.readUntil("\\n")));
       try { await pipe.read(undefined, { timeout: 20 }); } catch (e) { console.log(e.name); }
      `,
    );
    assertEquals(answer, "TimeoutError\nlate\n\nTimeoutError\n");
  },
});

Deno.test("a descriptor that is none is refused, and the stream can be opened on another", () => {
  const pipe = new PipeStream();
  const error = assertThrows(() => pipe.open(987), PipeError);
  assertStringIncludes(error.message, "Cannot open descriptor 987");
  assertEquals(error.code, "EBADF");
  assertThrows(() => pipe.open(-1), RangeError);
  assertThrows(() => pipe.open("3" as never), TypeError);
  pipe.close();
  assertEquals(assertThrows(() => pipe.open(3), PipeError).code, "ECLOSED");
});
