import { assertEquals, assertStrictEquals } from "@std/assert";
import { Local, sleep, spawn } from "../../mod.ts";
import { dropLoop, runLoop, valueOf, withLoop, witness } from "../run_loop.ts";

Deno.test("Local has attributes of its own in each task", () =>
  runLoop(async () => {
    const local = new Local<{ x?: number }>();
    local.x = 42;
    const tasks = [1, 2, 3].map((n) =>
      witness(async () => {
        const before = local.x;
        local.x = n;
        await sleep(1);
        return [before, local.x];
      })
    );
    for (const one of tasks) await one.task.join();
    assertEquals(tasks.map(valueOf), [[undefined, 1], [undefined, 2], [undefined, 3]]);
    assertEquals(local.x, 42);
  }));

Deno.test("Local keeps its attributes across blocking calls and foreign promises", () =>
  runLoop(async () => {
    const local = new Local<{ x?: number }>();
    const tasks = [1, 2, 3].map((n) =>
      witness(async () => {
        local.x = n;
        await sleep(0);
        await new Promise((resolve) => setTimeout(resolve, 4 - n));
        const deep = async () => (await sleep(1), local.x);
        return await deep();
      })
    );
    for (const one of tasks) await one.task.join();
    assertEquals(tasks.map(valueOf), [1, 2, 3]);
  }));

Deno.test("Local behaves as an object: in, delete, keys, JSON", () =>
  runLoop(async () => {
    const local = new Local<{ a?: number; b?: number }>();
    assertEquals(["a" in local, Object.keys(local)], [false, []]);
    local.a = 1;
    local.b = 2;
    const other = witness(() => ["a" in local, Object.keys(local)]);
    await other.task.join();
    assertEquals(valueOf(other), [false, []]);
    assertEquals(["a" in local, Object.keys(local)], [true, ["a", "b"]]);
    assertEquals(JSON.stringify(local), '{"a":1,"b":2}');
    assertEquals(Object.entries({ ...local }), [["a", 1], ["b", 2]]);
    delete local.a;
    assertEquals(["a" in local, local.a, Object.hasOwn(local, "b")], [false, undefined, true]);
    assertEquals(local instanceof Local, true);
  }));

Deno.test("two Locals have nothing to do with one another", () => {
  const a = new Local<{ x?: number }>(), b = new Local<{ x?: number }>();
  a.x = 1;
  assertEquals([a.x, b.x], [1, undefined]);
});

Deno.test("Local's subclass sets up its fields anew for each task", () =>
  runLoop(async () => {
    let made = 0;
    class Context extends Local<{ note?: string }> {
      depth = 0;
      log: string[] = [];
      id = ++made;
      push(text: string) {
        this.log.push(text);
        return ++this.depth;
      }
      get last() {
        return this.log.at(-1);
      }
    }
    const context = new Context();
    context.push("main");
    context.depth = 10;
    const tasks = ["a", "b"].map((name) =>
      witness(async () => {
        const depth = context.push(name);
        await sleep(1);
        return [depth, context.push(name + name), context.log, context.last, context.note];
      })
    );
    for (const one of tasks) await one.task.join();
    assertEquals(tasks.map(valueOf), [
      [1, 2, ["a", "aa"], "aa", undefined],
      [1, 2, ["b", "bb"], "bb", undefined],
    ]);
    assertEquals([context.depth, context.log, context.last], [10, ["main"], "main"]);
    assertEquals(context instanceof Context, true);
  }));

Deno.test("Local of the main task is not that of any other", () =>
  withLoop(async (loop) => {
    const local = new Local<{ x?: string }>();
    local.x = "main";
    const seen: (string | undefined)[] = [];
    spawn(() => void seen.push(local.x));
    loop.callSoon(() => void seen.push(local.x));
    await loop.run();
    assertEquals(seen, [undefined, "main"]);
  }));

Deno.test("Local lets go of what an ended task had in it", async () => {
  // Without --expose-gc there is nothing to see here.
  const { gc } = globalThis as { gc?: () => void };
  if (!gc) return;
  const local = new Local<{ big?: object }>();
  let ref: WeakRef<object> | undefined;
  await runLoop(async () => {
    await spawn(() => {
      local.big = { size: 1e6 };
      ref = new WeakRef(local.big);
    }).join();
  });
  for (let i = 0; i < 5; i++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    gc();
  }
  assertStrictEquals(ref?.deref(), undefined);
});

Deno.test("Local works outside every task and without a loop", () => {
  dropLoop();
  const local = new Local<{ x?: number }>();
  local.x = 1;
  assertEquals(local.x, 1);
  dropLoop();
});
