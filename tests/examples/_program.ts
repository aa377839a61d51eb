/** Longer than any program here takes. One that hangs is ended, and its test fails by what is missing. */
const TOO_LONG = 30_000;

/** A program of `examples/` that runs in a process of its own. */
export class Program implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #stdout: ReadableStreamDefaultReader<string>;
  readonly #stderr: Promise<string>;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #alarm: ReturnType<typeof setTimeout>;
  #seen = "";

  private constructor(command: string, args: string[]) {
    this.#child = new Deno.Command(command, {
      args,
      cwd: new URL("../../", import.meta.url),
      env: { NO_COLOR: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#stdout = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.#stderr = new Response(this.#child.stderr).text();
    this.#input = this.#child.stdin.getWriter();
    this.#alarm = setTimeout(() => this.#child.kill("SIGKILL"), TOO_LONG);
  }

  /** Starts `examples/<name>`, with its output in pipes. */
  static start(name: string, ...args: string[]): Program {
    return new Program(Deno.execPath(), commandLine(name, args));
  }

  /** As {@linkcode Program.start}, on a terminal. What is written to it is typed there. */
  static startOnTerminal(name: string, ...args: string[]): Program {
    const words = [Deno.execPath(), ...commandLine(name, args)];
    const quoted = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
    return new Program("script", [
      "--quiet",
      "--return",
      "--command",
      quoted.join(" "),
      "/dev/null",
    ]);
  }

  /** Waits until the output holds `text`. */
  async printed(text: string): Promise<void> {
    while (!this.#seen.includes(text)) {
      const { done, value } = await this.#stdout.read();
      if (done) throw new Error(`The program ended without printing ${text}:\n${this.#seen}`);
      this.#seen += value;
    }
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  async type(text: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(text));
  }

  /** Waits for the end. Gives all it printed. */
  async end(): Promise<{ code: number; stdout: string; stderr: string }> {
    for (let next = await this.#stdout.read(); !next.done; next = await this.#stdout.read()) {
      this.#seen += next.value;
    }
    clearTimeout(this.#alarm);
    const [{ code }, stderr] = await Promise.all([this.#child.status, this.#stderr]);
    return { code, stdout: this.#seen, stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch { /* It has ended. */ }
    await this.#input.close().catch(() => {});
    await this.end();
  }
}

/** Whether programs can be started on a terminal here. */
export function hasTerminals(): boolean {
  try {
    return new Deno.Command("script", {
      args: ["--quiet", "--command", "true", "/dev/null"],
      stdin: "null",
    })
      .outputSync().success;
  } catch {
    return false;
  }
}

function commandLine(name: string, args: string[]): string[] {
  return ["run", "--quiet", "--allow-net", `examples/${name}`, ...args];
}
