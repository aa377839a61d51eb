import { assertEquals } from "@std/assert";
import { EventLoop, sleep, spawn } from "../../mod.ts";
import { runLoop, withLoop } from "../run_loop.ts";

/** Opens the system's C library, wherever it can be called. */
function openLibrary() {
  const path = Deno.build.os === "darwin" ? "libSystem.B.dylib" : "libc.so.6";
  return Deno.dlopen(path, {
    // Starts a thread whose first function is the callback.
    pthread_create: { parameters: ["buffer", "pointer", "function", "pointer"], result: "i32" },
    pthread_join: { parameters: ["u64", "pointer"], result: "i32", nonblocking: true },
  });
}

const CALLBACK = { parameters: ["pointer"], result: "pointer" } as const;

Deno.test({
  name: "EventLoop.callFromThread() wakes an idle loop from a thread of native code",
  ignore: Deno.build.os === "windows",
  fn: () =>
    runLoop(async (loop) => {
      const library = openLibrary();
      const log: string[] = [];
      const done = Promise.withResolvers<void>();
      const callback = Deno.UnsafeCallback.threadSafe(CALLBACK, () => {
        loop.callFromThread((text: string) => {
          log.push(text);
          done.resolve();
        }, "called");
        return null;
      });
      const thread = new BigUint64Array(1);
      await loop.switch<void>((waker) => {
        done.promise.then(() => waker.wake());
        library.symbols.pthread_create(thread, null, callback.pointer, null);
      });
      await library.symbols.pthread_join(thread[0], null);
      callback.close();
      library.close();
      assertEquals(log, ["called"]);
    }, { clock: undefined }),
});

Deno.test("EventLoop.callFromThread() keeps the order of calls, and of those of callSoon()", () =>
  withLoop(async (loop) => {
    const log: number[] = [];
    loop.callFromThread((n: number) => log.push(n), 1);
    loop.callSoon((n: number) => log.push(n), 2);
    const cancelled = loop.callFromThread((n: number) => log.push(n), 3);
    loop.callFromThread((n: number) => log.push(n), 4);
    cancelled.cancel();
    await loop.run();
    assertEquals([log, cancelled.cancelled], [[1, 2, 4], true]);
  }));

Deno.test("EventLoop.callFromThread() runs its callback when a task that computes has yielded", () =>
  runLoop(async () => {
    const log: string[] = [];
    EventLoop.current().callFromThread(() => log.push("callback"));
    spawn(() => log.push("task"));
    log.push("first");
    await sleep(0);
    assertEquals(log, ["first", "callback", "task"]);
  }));
