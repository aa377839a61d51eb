/** Runs whole programs, each in a process of its own. */

/** How a program ended. */
export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const ROOT = new URL("../", import.meta.url);

/**
 * Runs a program from the root of the repository, where it imports "./mod.ts". One that does not end by itself is an error.
 *
 * @param flags What `deno run` is given besides.
 * @param env What it finds in its environment besides.
 */
export async function runProgram(
  program: string,
  flags: string[] = ["--allow-all"],
  env: Record<string, string> = {},
): Promise<Run> {
  const child = new Deno.Command(Deno.execPath(), {
    // Quiet: where packages have to be fetched first, the platform says so, and only then.
    args: ["run", "--quiet", "--no-check", "--no-prompt", ...flags, "--ext=ts", "-"],
    cwd: ROOT,
    env: { NO_COLOR: "1", ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(program));
  await writer.close();
  let hung = false;
  const limit = setTimeout(() => {
    hung = true;
    child.kill("SIGKILL");
  }, 60_000);
  const { code, stdout, stderr } = await child.output();
  clearTimeout(limit);
  const decoder = new TextDecoder();
  const run = { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  if (hung) throw new Error(`The program did not end: ${JSON.stringify(run)}`);
  return run;
}
