import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { EventLoop } from "../../mod.ts";

const ROOT = new URL("../../", import.meta.url);
const hasReactor = ["linux", "darwin"].includes(Deno.build.os);

async function deno(...args: string[]): Promise<{ code: number; text: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    env: { EVERGREEN_REACTOR: "fd", NO_COLOR: "1" },
  }).output();
  return { code, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

Deno.test({
  name: 'with reactor: "fd", TCP passes the very same suites',
  ignore: !hasReactor,
  async fn() {
    // With sanitizers, as all tests: nothing is pending when the last socket is closed.
    const { code, text } = await deno(
      ...["test", "--allow-all", "--quiet", "--no-check", "--config", "tests/io/reactor.json"],
      ...["tests/io/tcp_test.ts", "tests/io/stream_laws_test.ts", "tests/io/step_laws_test.ts"],
      "tests/io/foreign_peers_test.ts",
    );
    assertEquals(code, 0, text);
    assertStringIncludes(text, "passed | 0 failed");
  },
});

Deno.test({
  name: 'reactor: "fd" without --allow-ffi or --allow-net is a clear error',
  ignore: !hasReactor,
  async fn() {
    const program = `
      import { EventLoop, TcpClient, TcpServer } from "${new URL("mod.ts", ROOT)}";
      new EventLoop({ reactor: "fd" });
      class Server extends TcpServer { handleConnection() {} }
      try { new Server().bind({ hostname: "127.0.0.1", port: 0 }); } catch (e) { console.log(e.message); }
      try { await new TcpClient().connect({ hostname: "127.0.0.1", port: 1 }); } catch (e) { console.log(e.message); }
    `;
    const file = `data:application/typescript,${encodeURIComponent(program)}`;
    const withNet = await deno("run", "--no-prompt", "--no-check", "--allow-net", file);
    assertEquals(
      withNet.text.split("\n").filter((line) => line.includes("needs --allow-ffi")).length,
      2,
      withNet.text,
    );
    const withFfi = await deno("run", "--no-prompt", "--no-check", "--allow-ffi", file);
    assertEquals(
      withFfi.text.split("\n").filter((line) => line.includes("Requires net access")).length,
      2,
      withFfi.text,
    );
  },
});

Deno.test("a reactor that does not exist is a TypeError", async () => {
  assertThrows(
    () => new EventLoop({ reactor: "iocp" as never }),
    TypeError,
    'reactor must be "deno" or "fd", not "iocp"',
  );
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      `const { EventLoop } = await import("${new URL("mod.ts", ROOT)}"); new EventLoop();`,
    ],
    env: { EVERGREEN_REACTOR: "x", NO_COLOR: "1" },
  }).output();
  assert(code !== 0);
  assertStringIncludes(
    new TextDecoder().decode(stderr),
    'EVERGREEN_REACTOR must be "deno" or "fd", not "x"',
  );
});
