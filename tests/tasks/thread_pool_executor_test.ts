import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  moduleFunction,
  Progress,
  type Reporter,
  sleep,
  ThreadPoolExecutor,
  transfer,
} from "../../mod.ts";
import { runLoop } from "../run_loop.ts";
import { executorLaws } from "./executor_laws.ts";
import { streamingLaws } from "./streaming_laws.ts";
import { workerPoolLaws } from "./worker_pool_laws.ts";

const name = "ThreadPoolExecutor";
executorLaws({ name, make: (workers) => new ThreadPoolExecutor(workers) });
streamingLaws({ name, make: (workers) => new ThreadPoolExecutor(workers) });
workerPoolLaws({ name, make: (workers, options) => new ThreadPoolExecutor(workers, options) });

type Called = typeof import("./called_module.ts");
const module = new URL("./called_module.ts", import.meta.url);

Deno.test("ThreadPoolExecutor moves what transfer() marks, there and back", () =>
  runLoop(async () => {
    await using pool = new ThreadPoolExecutor(1);
    const bytes = new Uint8Array([1, 2, 3]);
    const sum = pool.submit((bytes: Uint8Array) => bytes.reduce((a, b) => a + b), transfer(bytes));
    assertEquals([bytes.length, await sum.get()], [0, 6]);
    const moved = moduleFunction<Called, "movedBuffer">(module, "movedBuffer");
    assertEquals(await pool.submit(moved, 3).get(), new Uint8Array([7, 7, 7]));
    const copied = new Uint8Array([1, 2, 3]);
    await pool.submit((bytes: Uint8Array) => bytes.length, copied).get();
    assertEquals(copied.length, 3);
  }, { clock: undefined }));

Deno.test("ThreadPoolExecutor moves every buffer with the option transfer", () =>
  runLoop(async () => {
    await using pool = new ThreadPoolExecutor(1, { transfer: true });
    const deep = { list: [new Float64Array([1, 2])] };
    const keep = (deep: { list: Float64Array[] }) => {
      const scope = globalThis as { kept?: Float64Array };
      scope.kept = deep.list[0];
      return deep;
    };
    const future = pool.submit(keep, deep);
    assertEquals(deep.list[0].length, 0);
    assertEquals((await future.get()).list[0], new Float64Array([1, 2]));
    const left = pool.submit(() => (globalThis as { kept?: Float64Array }).kept!.length);
    assertEquals(await left.get(), 0); // The result was moved as well.
  }, { clock: undefined }));

Deno.test("ThreadPoolExecutor shares shared memory", () =>
  runLoop(async () => {
    await using pool = new ThreadPoolExecutor(2);
    const counter = new Int32Array(new SharedArrayBuffer(4));
    const count = (counter: Int32Array, n: number) => {
      for (let i = 0; i < n; i++) Atomics.add(counter, 0, 1);
    };
    await Array.fromAsync(pool.starmap(count, [[counter, 1000], [counter, 500]]));
    assertEquals(counter[0], 1500);
  }, { clock: undefined }));

Deno.test("ThreadPoolExecutor stops a terminated call where it reports its progress", () =>
  runLoop(async () => {
    await using pool = new ThreadPoolExecutor(1);
    const turns = new Int32Array(new SharedArrayBuffer(4));
    const progress = new Progress<number>();
    const future = pool.submit(
      (turns: Int32Array, progress: Reporter<number>) => {
        while (true) progress.send(Atomics.add(turns, 0, 1));
      },
      turns,
      progress,
    );
    await progress.receive();
    future.terminate();
    let before;
    do {
      before = Atomics.load(turns, 0);
      await sleep(20);
    } while (Atomics.load(turns, 0) !== before);
    assert(before > 0);
  }, { clock: undefined }));

Deno.test("ThreadPoolExecutor has no loop in its threads that they did not make", () =>
  runLoop(async () => {
    const sleepALittle = moduleFunction<Called, "sleepALittle">(module, "sleepALittle");
    {
      await using pool = new ThreadPoolExecutor(1);
      await assertRejects(() => pool.submit(sleepALittle).get(), Error, "new EventLoop()");
    }
    await using pool = new ThreadPoolExecutor(1, {
      initializer: async (url: string) => void new (await import(url)).EventLoop(),
      initializerArgs: [new URL("../../mod.ts", import.meta.url).href],
    });
    assertEquals(await pool.submit(sleepALittle).get(), "slept");
  }, { clock: undefined }));
