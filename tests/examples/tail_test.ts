import { assertEquals } from "@std/assert";

const EXAMPLE = new URL("../../examples/tail.ts", import.meta.url).href;

Deno.test({
  name: "examples/tail.ts follows a file and a pipe, and Ctrl-C ends it",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const path = await Deno.makeTempFile();
    await Deno.writeTextFile(path, "one\n");
    const process = new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-ffi", `--allow-read=${path}`, "--quiet", EXAMPLE, path, "-"],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const writer = process.stdin.getWriter();
    let seen = "";
    const printed = async (text: string) => {
      while (!seen.endsWith(text)) seen += (await reader.read()).value ?? "(the end)";
    };
    await printed("one\n");
    await Deno.writeTextFile(path, "two\n", { append: true });
    await printed("one\ntwo\n");
    await writer.write(new TextEncoder().encode("piped\n"));
    await printed("piped\n");
    await writer.close();
    await Deno.writeTextFile(path, "three\n", { append: true });
    await printed("three\n");
    process.kill("SIGINT");
    assertEquals((await process.status).code, 0);
    assertEquals(seen, "one\ntwo\npiped\nthree\n");
    await reader.cancel();
    await Deno.remove(path);
  },
});
