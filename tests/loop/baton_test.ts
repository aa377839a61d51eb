import { assertEquals } from "@std/assert";
import { cooperate, Event, EventLoop, sleep, spawn } from "../../mod.ts";
import { runLoop } from "../run_loop.ts";

async function deep(depth: number): Promise<void> {
  if (depth > 0) await deep(depth - 1);
}

Deno.test("awaiting what does not block lets no other task in, however deep it is", () =>
  runLoop(async () => {
    const log: string[] = [];
    const tasks = ["a", "b"].map((name) =>
      spawn(async () => {
        for (let i = 0; i < 3; i++) {
          log.push(`${name} begins`);
          await deep(20);
          log.push(`${name} ends`);
          await sleep(0);
        }
      })
    );
    for (const task of tasks) await task.join();
    for (let i = 0; i < log.length; i += 2) {
      assertEquals(log[i].replace("begins", "ends"), log[i + 1]);
    }
  }));

Deno.test("a task that is back from a foreign promise is not overtaken by those it wakes", () =>
  runLoop(async () => {
    const log: string[] = [];
    const event = new Event();
    const woken = spawn(async () => {
      await event.wait();
      log.push("woken");
    });
    const waker = spawn(async () => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      event.set();
      await deep(20);
      log.push("waker");
    });
    await waker.join();
    await woken.join();
    assertEquals(log, ["waker", "woken"]);
  }, { clock: undefined }));

Deno.test("a task that awaits a foreign promise keeps nobody else from running", () =>
  runLoop(async () => {
    const log: string[] = [];
    const foreign = Promise.withResolvers<void>();
    const waiting = spawn(async () => {
      await foreign.promise;
      log.push("foreign");
    });
    const other = spawn(async () => {
      for (let i = 0; i < 3; i++) {
        log.push("other");
        await sleep(1);
      }
      foreign.resolve();
    });
    await other.join();
    await waiting.join();
    assertEquals(log, ["other", "other", "other", "foreign"]);
  }, { clock: undefined }));

Deno.test("a task that yields for ever starves neither timers nor I/O", () =>
  runLoop(async () => {
    let over = false;
    const busy = spawn(async () => {
      while (!over) await sleep(0);
    });
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr as Deno.NetAddr;
    const echo = spawn(async () => {
      using conn = await cooperate(listener.accept());
      const buffer = new Uint8Array(8);
      for (let i = 0; i < 20; i++) {
        const n = await cooperate(conn.read(buffer));
        await cooperate(conn.write(buffer.subarray(0, n!)));
      }
    });
    using client = await cooperate(Deno.connect({ hostname: "127.0.0.1", port }));
    const buffer = new Uint8Array(8);
    for (let i = 0; i < 20; i++) {
      await cooperate(client.write(new Uint8Array([i])));
      await cooperate(client.read(buffer));
      assertEquals(buffer[0], i);
    }
    let rung = false;
    EventLoop.current().callLater(2, () => rung = true);
    await sleep(5);
    assertEquals(rung, true);
    over = true;
    await echo.join();
    await busy.join();
    listener.close();
  }, { clock: undefined }));
