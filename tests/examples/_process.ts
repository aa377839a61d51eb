import { assertEquals } from "@std/assert";

/** An example that runs as a process of its own. */
export class Example {
  readonly #process: Deno.ChildProcess;
  readonly #reader: ReadableStreamDefaultReader<string>;
  #output = "";

  private constructor(process: Deno.ChildProcess) {
    this.#process = process;
    this.#reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  static start(name: string, args: string[], permissions: string[]): Example {
    const file = new URL(`../../examples/${name}`, import.meta.url).href;
    return new Example(
      new Deno.Command(Deno.execPath(), {
        args: ["run", ...permissions, "--quiet", file, ...args],
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
      }).spawn(),
    );
  }

  /** Waits until it has written something that matches. */
  async written(pattern: RegExp): Promise<RegExpMatchArray> {
    for (;;) {
      const match = this.#output.match(pattern);
      if (match !== null) return match;
      const { done, value } = await this.#reader.read();
      if (done) throw new Error(`It has ended after ${JSON.stringify(this.#output)}`);
      this.#output += value;
    }
  }

  /** The port that it listens on. */
  async port(): Promise<number> {
    return Number((await this.written(/listening on .*:(\d+)/))[1]);
  }

  /** Ends it by Ctrl-C, and sees that it says good-bye. Returns what it wrote on standard error. */
  async interrupt(): Promise<string> {
    this.#process.kill("SIGINT");
    await this.written(/bye\n/);
    const errors = await new Response(this.#process.stderr).text();
    await this.#reader.cancel();
    assertEquals((await this.#process.status).code, 0, errors);
    return errors;
  }
}
