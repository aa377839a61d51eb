import { assertEquals } from "@std/assert";
import { RawSystem } from "../raw_descriptors.ts";
import { type OwnKind, ownKinds } from "./_descriptor_kinds.ts";
import { type Law, laws } from "./_laws.ts";

const PROGRAM = new URL("_law_program.ts", import.meta.url).pathname;
/** A program that takes longer than this hangs, in milliseconds. */
const LIMIT = 30_000;

/** Checks a law in a program that a shell has given its streams. */
async function check(kind: OwnKind, law: Law): Promise<void> {
  const report = await Deno.makeTempFile();
  const system = new RawSystem();
  const { redirection, other } = kind.wire(system);
  const args = [kind.name, law.name, String(other), report];
  const child = new Deno.Command("bash", {
    args: [
      ...["-c", `exec "$@" ${redirection}`, "bash", Deno.execPath()],
      ...["run", "--allow-all", "--no-check", "--quiet", PROGRAM, ...args],
    ],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  system[Symbol.dispose](); // The program has them now.
  const hung = setTimeout(() => child.kill("SIGKILL"), LIMIT);
  const { code, stderr } = await child.output();
  clearTimeout(hung);
  const outcome = await Deno.readTextFile(report);
  await Deno.remove(report);
  if (typeof other === "string") await Deno.remove(other);
  // Only what the program has not said in its report would be in its own streams.
  const said = redirection.startsWith("2") ? "" : new TextDecoder().decode(stderr);
  assertEquals([outcome, code, said], ["kept", 0, ""]);
}

const hasBash = ((): boolean => {
  try {
    return new Deno.Command("bash", { args: ["-c", "exit 0"] }).outputSync().success;
  } catch {
    return false;
  }
})();

for (const kind of ownKinds) {
  for (const law of laws) {
    if (!law.needs.every((ability) => kind[ability])) continue;
    Deno.test({
      name: `${kind.name}: ${law.name}`,
      ignore: !hasBash,
      fn: () => check(kind, law),
    });
  }
}
