import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../../", import.meta.url);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`examples/parallel_server.ts serves, and stops on ${signal}`, async () => {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "--allow-all", "examples/parallel_server.ts", "0", "2"],
      cwd: ROOT,
      stdout: "piped",
    }).spawn();
    let printed = "";
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
      const before = printed;
      printed += chunk;
      const port = printed.match(/localhost:(\d+)/)?.[1];
      if (port === undefined || before.includes("localhost")) continue;
      const response = await fetch(`http://127.0.0.1:${port}/?below=100`);
      const { primes, pid } = await response.json();
      assertEquals(primes, 25);
      assert(pid !== child.pid);
      child.kill(signal);
    }
    assert(printed.endsWith("Stopped\n"), printed);
    assertEquals((await child.status).code, 0);
  });
}
