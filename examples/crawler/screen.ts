/** How often plain output says how far it is: every so many steps. */
const STEP = 50;

/**
 * Where a program says what happens: lines that stay, and on a terminal one below them that is written over. On
 * anything else that line is printed now and then.
 */
export class Screen {
  readonly #isTerminal = Deno.stdout.isTerminal();
  #status = "";

  /** Prints a line that stays. */
  print(line: string): void {
    this.#write(this.#isTerminal ? `\r\x1b[K${line}\n${this.#status}` : `${line}\n`);
  }

  /** Says how far it is. */
  show(status: string, step: number): void {
    if (this.#isTerminal) {
      this.#status = status.slice(0, columns() - 1);
      this.#write(`\r\x1b[K${this.#status}`);
    } else if (step % STEP === 0) {
      this.print(status);
    }
  }

  /** Leaves only the lines that stay. */
  clear(): void {
    this.#status = "";
    if (this.#isTerminal) this.#write("\r\x1b[K");
  }

  #write(text: string): void {
    const bytes = new TextEncoder().encode(text);
    try {
      for (let done = 0; done < bytes.length;) done += Deno.stdout.writeSync(bytes.subarray(done));
    } catch (error) {
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
      Deno.exit(141); // Nobody reads any more. Programs that do not ask are ended by SIGPIPE then.
    }
  }
}

function columns(): number {
  return Deno.consoleSize().columns || 80; // Some terminals say 0.
}
