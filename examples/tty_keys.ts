/**
 * Shows which keys are pressed, until q or Ctrl-C is, and the size of the terminal whenever it changes.
 *
 * Run it with `deno run --allow-read examples/tty_keys.ts` in a terminal.
 *
 * @module
 */
import { EventLoop, spawn, TtyStream } from "@evergreen/evergreen";

if (!Deno.stdin.isTerminal()) {
  console.error("This shows the keys of a terminal, and there is none");
  Deno.exit(1);
}

const terminal = new TtyStream(0, true);
terminal.setRawMode(true);
const show = (line: string) => console.log(`${line}\r`);
const { columns, rows } = terminal.winsize;
show(`${columns} x ${rows}; press keys, q ends it`);

const watcher = spawn(async () => {
  while (true) {
    const { columns, rows } = await terminal.resized();
    show(`${columns} x ${rows}`);
  }
});

spawn(async () => {
  for await (const bytes of terminal) {
    const key = new TextDecoder().decode(bytes);
    show(JSON.stringify(key));
    if (key === "q" || key === "\x03") break;
  }
  watcher.kill();
  terminal.close();
});

await EventLoop.current().run();
console.log("bye");
