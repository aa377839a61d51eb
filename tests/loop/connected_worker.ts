/// <reference lib="deno.worker" />
// A thread with a loop that exposes functions, and that calls those of the other side, if it is sent a port.
import { connectLoop, current, EventLoop, sleep } from "../../mod.ts";

const log: string[] = [];
const exposed = {
  async add(a: number, b: number) {
    await sleep(1);
    return a + b;
  },
  taskName: () => current.task.name,
  fail(message: string): never {
    throw Object.assign(new RangeError(message), { code: 7 });
  },
  hang: () => sleep(2 ** 31),
  unsendable: () => () => 1,
  async write(text: string, delay = 0) {
    log.push(`${text} begins`);
    if (delay > 0) await sleep(delay);
    log.push(`${text} ends`);
  },
  read: () => log,
  compute(ms: number) {
    for (const end = Date.now() + ms; Date.now() < end;);
  },
  async askBack(port: MessagePort, n: number) {
    const other = connectLoop<{ double(n: number): number }>(port);
    const answer = await other.call("double", n);
    other.close();
    return answer + 1;
  },
  stop: () => EventLoop.current().stop(),
  exit: () => Deno.exit(0),
};

/** What the other side can call. */
export type Functions = typeof exposed;

let refusal = "";
try {
  EventLoop.current();
} catch (error) {
  refusal = (error as Error).message;
}
const port = new EventLoop().expose(exposed);
self.postMessage({ port, refusal }, [port]);
await EventLoop.current().runForever();
