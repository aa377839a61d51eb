/** What pools do to the program that has them: when it ends, and what it needs. */
import { assert, assertEquals } from "@std/assert";
import { runProgram } from "../run_program.ts";

const ROOT = new URL("../../", import.meta.url);

for (const Pool of ["ThreadPoolExecutor", "ProcessPoolExecutor"]) {
  Deno.test(`${Pool} that is never shut down does not keep its program alive`, async () => {
    const { code, stdout } = await runProgram(`
      import { ${Pool} } from "./mod.ts";
      const pool = new ${Pool}(2, { idleTimeout: 60_000 });
      console.log(await pool.submit((n) => n + 1, 1).get());
      new ${Pool}(2); // One that was never used.
    `);
    assertEquals([code, stdout], [0, "2\n"]);
  });

  Deno.test(`${Pool} keeps its program alive while a call is outstanding`, async () => {
    const { code, stdout } = await runProgram(`
      import { ${Pool} } from "./mod.ts";
      const pool = new ${Pool}(1);
      const future = pool.submit(() => new Promise((resolve) => setTimeout(resolve, 100)));
      future.addDoneCallback(() => console.log("done"));
      await pool.submit(() => 1).get(); // Behind it.
      pool.submit(() => 2).addDoneCallback(() => console.log("and done"));
    `);
    assertEquals([code, stdout], [0, "done\nand done\n"]);
  });

  Deno.test(`${Pool} lets run() end, and its program, when only idle workers are left`, async () => {
    const { code, stdout } = await runProgram(`
      import { EventLoop, ${Pool}, spawn } from "./mod.ts";
      const pool = new ${Pool}(1);
      spawn(async () => console.log(await pool.submit(() => 1).get()));
      await EventLoop.current().run();
      console.log("over");
    `);
    assertEquals([code, stdout], [0, "1\nover\n"]);
  });

  Deno.test(`${Pool} lets its program end though a terminated call never pauses`, async () => {
    const { code, stdout } = await runProgram(`
      import { sleep, ${Pool} } from "./mod.ts";
      const pool = new ${Pool}(1);
      const future = pool.submit(() => { while (true); });
      while (!future.running) await sleep(1);
      await sleep(100);
      future.terminate();
      console.log(await pool.submit(() => "next").get());
      await pool.shutdown();
      console.log("over");
    `);
    assertEquals([code, stdout], [0, "next\nover\n"]);
  });

  Deno.test(`${Pool} prints what its calls print`, async () => {
    const { stdout } = await runProgram(`
      import { ${Pool} } from "./mod.ts";
      const pool = new ${Pool}(1);
      await pool.submit(() => console.log("from a worker")).get();
      await pool.shutdown();
    `);
    assertEquals(stdout, "from a worker\n");
  });

  Deno.test(`${Pool} works when the library was loaded over the network`, async () => {
    const server = Deno.serve({ port: 0, onListen() {} }, async (request) => {
      const path = new URL(request.url).pathname.slice(1);
      const source = await Deno.readTextFile(new URL(path, ROOT));
      return new Response(source, { headers: { "content-type": "application/typescript" } });
    });
    const host = `localhost:${server.addr.port}`;
    try {
      const { code, stdout, stderr } = await runProgram(
        `
          import { ${Pool} } from "http://${host}/mod.ts";
          const pool = new ${Pool}(1);
          console.log(await pool.submit((n) => n + 1, 1).get());
          await pool.shutdown();
        `,
        ["--allow-run", "--allow-env", `--allow-import=${host}`],
      );
      assertEquals([code, stdout], [0, "2\n"], stderr);
    } finally {
      await server.shutdown();
    }
  });
}

Deno.test("ThreadPoolExecutor needs no permission but to read its own file", async () => {
  const { code, stdout, stderr } = await runProgram(
    `
      import { ThreadPoolExecutor } from "./mod.ts";
      console.log(await new ThreadPoolExecutor(1).submit((n) => n + 1, 1).get());
    `,
    [`--allow-read=${ROOT.pathname}`],
  );
  assertEquals([code, stdout], [0, "2\n"], stderr);
});

Deno.test("ProcessPoolExecutor says which permission is missing", async () => {
  const program = `
    import { ProcessPoolExecutor } from "./mod.ts";
    try {
      new ProcessPoolExecutor(1).submit(() => 1);
    } catch (error) {
      console.log(error.name, error.message);
    }
  `;
  for (const [flags, missing] of [[[], "--allow-run"], [["--allow-run"], "--allow-env"]] as const) {
    const { code, stdout } = await runProgram(program, [...flags]);
    assert(stdout.startsWith("NotCapable") && stdout.includes(missing), stdout);
    assertEquals(code, 0);
  }
});

Deno.test("ProcessPoolExecutor needs no more than --allow-run=deno and one variable", async () => {
  const { code, stdout, stderr } = await runProgram(
    `
      import { ProcessPoolExecutor } from "./mod.ts";
      const pool = new ProcessPoolExecutor(1);
      const look = () => Deno.permissions.querySync({ name: "env" }).state;
      console.log(await pool.submit(look).get());
    `,
    [`--allow-run=${Deno.execPath()}`, "--allow-env=NODE_V8_COVERAGE"],
  );
  assertEquals([code, stdout], [0, "prompt\n"], stderr);
});

Deno.test("ProcessPoolExecutor ends its processes when its program is killed", async () => {
  const { stdout } = await runProgram(`
    import { ProcessPoolExecutor } from "./mod.ts";
    const pool = new ProcessPoolExecutor(1);
    console.log(await pool.submit(() => Deno.pid).get());
    Deno.kill(Deno.pid, "SIGKILL");
  `);
  const pid = Number(stdout);
  assert(pid > 0);
  // It has to notice, which takes a moment.
  for (let alive = true; alive;) {
    try {
      Deno.kill(pid, "SIGCONT");
      await new Promise((resolve) => setTimeout(resolve, 5));
    } catch {
      alive = false;
    }
  }
});

Deno.test("ProcessPoolExecutor lets its program decide what Ctrl-C does", async () => {
  const { stdout } = await runProgram(`
    import { ProcessPoolExecutor, sleep } from "./mod.ts";
    const pool = new ProcessPoolExecutor(1);
    const pid = await pool.submit(() => Deno.pid).get();
    const future = pool.submit(() => new Promise((resolve) => setTimeout(resolve, 100, "finished")));
    await sleep(1);
    Deno.kill(pid, "SIGINT"); // As a terminal sends it to both.
    console.log(await future.get());
    await pool.shutdown();
  `);
  assertEquals(stdout, "finished\n");
});
