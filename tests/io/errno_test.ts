import { assert, assertEquals } from "@std/assert";
import { errno } from "../../mod.ts";

Deno.test("errno has the system's numbers, names and texts", () => {
  assertEquals(errno.errorcode[errno.ECONNREFUSED], "ECONNREFUSED");
  assertEquals(errno.strerror(errno.ENOENT), "no such file or directory");
  assertEquals(errno.strerror(987_654), "unknown error 987654");
  if (Deno.build.os === "linux") assertEquals([errno.ECONNREFUSED, errno.EAGAIN], [111, 11]);
  assert(Object.keys(errno.errorcode).length > 70);
});

Deno.test({
  name: "errno agrees with Python's",
  ignore: Deno.build.os !== "linux" || !hasPython(),
  fn() {
    const { stdout } = new Deno.Command("python3", {
      args: ["-c", "import errno, json; print(json.dumps(errno.errorcode))"],
    }).outputSync();
    const theirs: Record<string, string> = JSON.parse(new TextDecoder().decode(stdout));
    const numbers = errno as unknown as Record<string, number>;
    for (const [number, name] of Object.entries(theirs)) {
      if (name in numbers) assertEquals(numbers[name], Number(number), name);
    }
  },
});

function hasPython(): boolean {
  try {
    return new Deno.Command("python3", { args: ["--version"], stdout: "null" }).outputSync()
      .success;
  } catch {
    return false;
  }
}
