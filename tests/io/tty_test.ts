import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { PipeStream, sleep, spawn, TimeoutError, TtyError, TtyStream } from "../../mod.ts";
import { RawSystem } from "../raw_descriptors.ts";

const library = new URL("../../mod.ts", import.meta.url).href;
const example = new URL("../../examples/tty_keys.ts", import.meta.url).pathname;

/** Runs a program in a terminal of its own, does what `steps` say (Python), and prints what the program wrote. */
const DRIVER = `
import fcntl, os, pty, select, signal, struct, sys, termios, time
program, steps = sys.argv[1], sys.argv[2]
master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
before = termios.tcgetattr(slave)
pid = os.fork()
if pid == 0:
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in range(3):
        os.dup2(slave, fd)
    os.execvp(sys.argv[3], [sys.argv[3], "run", "-A", "-q", program])
output = b""
end = time.time() + 20
def pump(seconds):
    global output
    ready, _, _ = select.select([master], [], [], seconds)
    if ready:
        output += os.read(master, 65536)
def wait_for(text):
    while text.encode() not in output and time.time() < end:
        pump(0.1)
def send(text):
    os.write(master, text.encode())
def resize(columns, rows):
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
def kill(number):
    os.kill(pid, number)
exec(steps)
status = None
while time.time() < end:
    pump(0.05)
    done, status = os.waitpid(pid, os.WNOHANG)
    if done:
        break
else:
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    print("IT HANGS")
for _ in range(3):
    pump(0.02)
raw = "raw" if termios.tcgetattr(slave)[:6] != before[:6] else "restored"
print(output.decode(), os.waitstatus_to_exitcode(status), raw)
`;

async function inTerminal(program: string, steps: string): Promise<string> {
  const { stdout, stderr } = await new Deno.Command("python3", {
    args: ["-c", DRIVER, program, steps, Deno.execPath()],
  }).output();
  assertEquals(new TextDecoder().decode(stderr), "");
  return new TextDecoder().decode(stdout);
}

async function scriptInTerminal(body: string, steps: string): Promise<string> {
  const script = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(
    script,
    `import { TtyStream, StdinStream, StdoutStream, TimeoutError } from "${library}";\n${body}`,
  );
  try {
    return await inTerminal(script, steps);
  } finally {
    await Deno.remove(script);
  }
}

const ignore = Deno.build.os === "windows" || !hasPython();

Deno.test({
  name: "examples/tty_keys.ts shows keys and sizes, and restores the terminal",
  ignore,
  async fn() {
    const output = await inTerminal(
      example,
      `wait_for("80 x 24"); send("a"); wait_for('"a"'); resize(100, 30); wait_for("100 x 30")
send("\\x1b[A"); wait_for("u001b[A"); send("q"); wait_for("bye")`,
    );
    assertStringIncludes(output, '"a"');
    assertStringIncludes(output, "100 x 30");
    assertStringIncludes(output, "bye");
    assertStringIncludes(output, " 0 restored");
  },
});

const RAW = `const terminal = new TtyStream(0, true);
  terminal.setRawMode(true);
  console.log("ready");
`;

for (
  const [how, body, steps, status] of [
    ["at its end", "", "", "0"],
    ["by an uncaught error", `throw new Error("oops");`, "", "1"],
    ["by Deno.exit", "Deno.exit(3);", "", "3"],
    ["by SIGINT", "await terminal.read();", "kill(signal.SIGINT)", "-2"],
    ["by SIGTERM", "await terminal.read();", "kill(signal.SIGTERM)", "-15"],
    ["by SIGHUP", "await terminal.read();", "kill(signal.SIGHUP)", "-1"],
  ]
) {
  Deno.test({
    name: `raw mode is undone when the program ends ${how}`,
    ignore,
    async fn() {
      const output = await scriptInTerminal(RAW + body, `wait_for("ready")\n${steps}`);
      assertStringIncludes(output, ` ${status} restored`);
    },
  });
}

for (
  const [how, listen] of [
    ["a listener of the platform's", `Deno.addSignalListener("SIGTERM", caught);`],
    ["a handler of the loop's", `EventLoop.current().addSignalHandler("SIGTERM", caught);`],
    ["a listener of Node's", `(await import("node:process")).default.on("SIGTERM", caught);`],
  ]
) {
  Deno.test({
    name: `in raw mode a signal reaches ${how} once, and the program goes on in raw mode`,
    ignore,
    async fn() {
      const output = await scriptInTerminal(
        `import { EventLoop } from "${library}";
         let times = 0;
         const caught = () => console.log("caught " + ++times);
         ${listen}
         ${RAW}
         while (await terminal.read() !== null) {
           if (times === 2) break;
           console.log("key " + times);
         }
         console.log("bye " + times);
         Deno.exit(5);`,
        `wait_for("ready"); kill(signal.SIGTERM); wait_for("caught 1"); send("k"); wait_for("key 1")
kill(signal.SIGTERM); wait_for("caught 2"); send("k"); wait_for("bye")`,
      );
      assertStringIncludes(output, "bye 2");
      assertStringIncludes(output, " 5 restored");
    },
  });
}

Deno.test({
  name: "a handler that takes itself away and sends the signal again ends the program, restored",
  ignore,
  async fn() {
    const output = await scriptInTerminal(
      `const again = () => {
         Deno.removeSignalListener("SIGTERM", again);
         Deno.kill(Deno.pid, "SIGTERM");
       };
       Deno.addSignalListener("SIGTERM", again);
       ${RAW}
       await terminal.read();`,
      `wait_for("ready"); kill(signal.SIGTERM)`,
    );
    assertStringIncludes(output, " -15 restored");
  },
});

Deno.test({
  name:
    "a terminal is read line by line, a read that times out loses nothing, and input goes on after close()",
  ignore,
  async fn() {
    const output = await scriptInTerminal(
      `const input = new StdinStream();
       const output = new StdoutStream();
       await output.write("ready\\n");
       try { await input.read(undefined, { timeout: 50 }); } catch (e) { await output.write(e.name + "\\n"); }
       const line = new TextDecoder().decode(await input.readUntil("\\n"));
       await output.write("<" + line.trim() + ">\\n");
       input.close();
       const again = new StdinStream();
       const second = new TextDecoder().decode(await again.readUntil("\\n"));
       await output.write("<" + second.trim() + ">\\n");
       await output.write(JSON.stringify([again.isTerminal, output.isTerminal, new TtyStream(1, false).winsize]));
       await output.flush();`,
      `wait_for("TimeoutError"); send("hello\\n"); wait_for("<hello>"); send("again\\n"); wait_for("<again>")`,
    );
    assertStringIncludes(output, "<hello>");
    assertStringIncludes(output, "<again>");
    assertStringIncludes(output, `[true,true,{"columns":80,"rows":24}]`);
    assertStringIncludes(output, " 0 restored");
  },
});

Deno.test({
  name: "the standard streams work on pipes and files alike",
  ignore,
  async fn() {
    const script = await Deno.makeTempFile({ suffix: ".ts" });
    await Deno.writeTextFile(
      script,
      `import { StderrStream, StdinStream, StdoutStream } from "${library}";
       const [input, output, errors] = [new StdinStream(), new StdoutStream(), new StderrStream()];
       for await (const line of input.lines()) await output.write(line.toUpperCase() + "\\n");
       await errors.write("done\\n");
       await output.flush();
       await errors.flush();`,
    );
    const run = async (command: string) => {
      const { stdout, stderr, code } = await new Deno.Command("bash", {
        args: ["-c", command.replaceAll("PROGRAM", `"${Deno.execPath()}" run -A -q ${script}`)],
      }).output();
      assertEquals([code, new TextDecoder().decode(stderr)], [0, "done\n"]);
      return new TextDecoder().decode(stdout);
    };
    assertEquals(await run("(echo a; sleep 0.1; echo b) | PROGRAM | cat"), "A\nB\n");
    assertEquals(await run("PROGRAM <<< here"), "HERE\n");
    assertEquals(await run("PROGRAM < /dev/null"), "");
    assertEquals(await run("seq 100000 | PROGRAM | tail -1"), "100000\n");
    const file = await Deno.makeTempFile();
    assertEquals(await run(`echo in a file | PROGRAM > ${file}; cat ${file}`), "IN A FILE\n");
    await Deno.remove(file);
    await Deno.remove(script);
  },
});

Deno.test({
  name: "resized() may be given up, wakes all who wait, and ends when the terminal is closed",
  ignore,
  async fn() {
    using system = new RawSystem();
    const [slave, master] = system.terminal();
    const terminal = new TtyStream(slave, true);
    await assertRejects(() => terminal.resized({ timeout: 0 }), TimeoutError);
    await assertRejects(() => terminal.resized({ timeout: 1 }), TimeoutError);
    const killed = spawn(() => terminal.resized());
    await sleep(0);
    killed.kill();
    await killed.join();
    const sizes = [terminal.resized(), terminal.resized()];
    await sleep(1);
    Deno.kill(Deno.pid, "SIGWINCH");
    for (const size of sizes) assertEquals(await size, { columns: 0, rows: 0 });
    const waiting = assertRejects(() => terminal.resized(), TtyError);
    terminal.close();
    assertEquals((await waiting).code, "ECLOSED");
    system.close(master);
  },
});

Deno.test({
  name: "asking a terminal for its size, and setting its mode, leaves nothing open",
  ignore: ignore || Deno.build.os !== "linux",
  async fn() {
    using system = new RawSystem();
    const [slave] = system.terminal();
    const path = Deno.readLinkSync(`/proc/self/fd/${slave}`);
    const opened = () =>
      [...Deno.readDirSync("/proc/self/fd")].filter(({ name }) => {
        try {
          return Deno.readLinkSync(`/proc/self/fd/${name}`) === path;
        } catch {
          return false; // It was the folder's own.
        }
      }).length;
    for (const readable of [true, false]) {
      const terminal = new TtyStream(slave, readable);
      const before = opened();
      for (let i = 0; i < 10; i++) {
        assertEquals(terminal.winsize, { columns: 0, rows: 0 });
        terminal.setRawMode(i % 2 === 0);
      }
      assertEquals(opened(), before);
      terminal.close();
      while (opened() > 1) await sleep(1); // What the system gave stays.
    }
  },
});

Deno.test({
  name: "a terminal may be opened as a descriptor",
  ignore,
  async fn() {
    using system = new RawSystem();
    const [slave, master] = system.terminal();
    const stream = new PipeStream();
    stream.open(slave);
    await stream.write("hello");
    await stream.flush();
    assertEquals(system.read(master), "hello");
    system.write(master, "answer");
    assertEquals(await stream.readBytes(6), new TextEncoder().encode("answer"));
    stream.close();
  },
});

Deno.test({
  name: "a descriptor that is no terminal is refused",
  ignore,
  fn() {
    const error = assertThrows(() => new TtyStream(987, true), TtyError, "no terminal");
    assertEquals(error.code, "ENOTTY");
    assertThrows(() => new TtyStream(-1, true), RangeError);
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
