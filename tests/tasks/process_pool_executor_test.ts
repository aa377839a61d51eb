import { assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import { BrokenExecutor, ProcessPoolExecutor, sleep, transfer } from "../../mod.ts";
import { runLoop } from "../run_loop.ts";
import { executorLaws } from "./executor_laws.ts";
import { streamingLaws } from "./streaming_laws.ts";
import { workerPoolLaws } from "./worker_pool_laws.ts";

const name = "ProcessPoolExecutor";
executorLaws({ name, make: (workers) => new ProcessPoolExecutor(workers) });
streamingLaws({ name, make: (workers) => new ProcessPoolExecutor(workers) });
workerPoolLaws({ name, make: (workers, options) => new ProcessPoolExecutor(workers, options) });

function isAlive(pid: number): boolean {
  try {
    Deno.kill(pid, "SIGCONT");
    return true;
  } catch {
    return false;
  }
}

Deno.test("ProcessPoolExecutor fails only the call of a process that is killed -9", () =>
  runLoop(async () => {
    await using pool = new ProcessPoolExecutor(1);
    const pid = await pool.submit(() => Deno.pid).get();
    assertNotEquals(pid, Deno.pid);
    const future = pool.submit(() => {
      while (true);
    });
    const next = pool.submit(() => Deno.pid);
    while (!future.running) await sleep(1);
    Deno.kill(pid, "SIGKILL");
    await assertRejects(() => future.get(), BrokenExecutor, "SIGKILL");
    assertNotEquals(await next.get(), pid);
  }, { clock: undefined }));

Deno.test("ProcessPoolExecutor stops the process of a terminated call", () =>
  runLoop(async () => {
    await using pool = new ProcessPoolExecutor(1);
    const pid = await pool.submit(() => Deno.pid).get();
    const future = pool.submit(() => {
      while (true);
    });
    while (!future.running) await sleep(1);
    future.terminate();
    await pool.shutdown();
    assertEquals(isAlive(pid), false);
  }, { clock: undefined }));

Deno.test("ProcessPoolExecutor leaves no process behind after shutdown()", () =>
  runLoop(async () => {
    const pool = new ProcessPoolExecutor(2);
    const pids = await Array.fromAsync(pool.map(() => Deno.pid, [1, 2, 3]));
    await pool.shutdown();
    assertEquals(pids.filter(isAlive), []);
  }, { clock: undefined }));

Deno.test("ProcessPoolExecutor loses an idle process silently, and starts another", () =>
  runLoop(async () => {
    await using pool = new ProcessPoolExecutor(1);
    const pid = await pool.submit(() => Deno.pid).get();
    Deno.kill(pid, "SIGKILL");
    while (isAlive(pid)) await sleep(1);
    await sleep(20); // Until the pool has heard of it.
    assertNotEquals(await pool.submit(() => Deno.pid).get(), pid);
  }, { clock: undefined }));

Deno.test("ProcessPoolExecutor gives its processes the permissions that they shall have", () =>
  runLoop(async () => {
    const granted = () =>
      (["net", "read", "env", "run"] as const).filter((name) =>
        Deno.permissions.querySync({ name }).state === "granted"
      );
    const given: [Deno.PermissionOptions | undefined, string[]][] = [
      [undefined, ["net", "read", "env", "run"]],
      ["none", []],
      [{ net: false, run: false, write: false }, ["read", "env"]],
      [{ net: ["localhost"], read: true, env: false, run: false }, ["read"]],
    ];
    for (const [permissions, expected] of given) {
      await using pool = new ProcessPoolExecutor(1, { permissions });
      assertEquals(await pool.submit(granted).get(), expected);
    }
    await using pool = new ProcessPoolExecutor(1, { permissions: { net: ["localhost"] } });
    const net = (host: string) => Deno.permissions.querySync({ name: "net", host }).state;
    assertEquals(await Array.fromAsync(pool.map(net, ["localhost"])), ["granted"]);
    assertNotEquals(await pool.submit(net, "example.com").get(), "granted");
  }, { clock: undefined }));

Deno.test("ProcessPoolExecutor sets the folder, the environment and arguments of its processes", () =>
  runLoop(async () => {
    const cwd = await Deno.realPath(Deno.env.get("TMPDIR") ?? "/tmp");
    await using pool = new ProcessPoolExecutor(1, {
      cwd,
      env: { EVERGREEN_TEST: "set" },
      args: ["--unstable-net"],
    });
    const look = () => [Deno.cwd(), Deno.env.get("EVERGREEN_TEST"), "listenDatagram" in Deno];
    assertEquals(await pool.submit(look).get(), [cwd, "set", true]);
  }, { clock: undefined }));

Deno.test("ProcessPoolExecutor sends more than a pipe holds, both ways", () =>
  runLoop(async () => {
    await using pool = new ProcessPoolExecutor(2);
    const bytes = crypto.getRandomValues(new Uint8Array(60_000));
    const big = new Uint8Array(3_000_000);
    for (let i = 0; i < big.length; i += bytes.length) big.set(bytes, i);
    const results = await Array.fromAsync(pool.map((big: Uint8Array) => big, [big, big, big]));
    for (const result of results) assertEquals(result, big);
  }, { clock: undefined }));

Deno.test("ProcessPoolExecutor copies what transfer() marks", () =>
  runLoop(async () => {
    await using pool = new ProcessPoolExecutor(1);
    const bytes = new Uint8Array([1, 2, 3]);
    assertEquals(await pool.submit((bytes: Uint8Array) => bytes, transfer(bytes)).get(), bytes);
    assertEquals(bytes.length, 3);
  }, { clock: undefined }));

Deno.test("ProcessPoolExecutor refuses shared memory, which is none between processes", () =>
  runLoop(async () => {
    await using pool = new ProcessPoolExecutor(1);
    const shared = new Int32Array(new SharedArrayBuffer(4));
    assertThrows(() => pool.submit((shared: Int32Array) => shared[0], shared), TypeError);
  }, { clock: undefined }));
