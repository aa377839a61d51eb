/**
 * A client tries to reach a server that is down for the night, and waits twice as long after each failure. Start
 * it by
 *
 * ```sh
 * deno run examples/virtual_time.ts
 * ```
 *
 * The night is over at once: the loop's clock jumps to the next time at which anything happens. What is tried out
 * here is the code that will run, with its timeouts and its sleeps, and nothing in it knows of that clock.
 */
import { Channel, EventLoop, sleep, spawn, Timeout, VirtualClock } from "@evergreen/evergreen";

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;

/** Makes a call that may take 30 seconds, again and again until it succeeds. */
async function persistently(attempt: () => Promise<void>): Promise<void> {
  for (let pause = SECOND;; pause = Math.min(2 * pause, HOUR)) {
    const limit = new Timeout(30 * SECOND);
    try {
      return await limit.run(attempt);
    } catch (error) {
      if (error !== limit) throw error;
      log(`no answer, again in ${pause / SECOND} s`);
    }
    await sleep(pause);
  }
}

const loop = new EventLoop({ clock: new VirtualClock() });
const requests = new Channel<string>();

spawn(async function server() {
  await sleep(8 * HOUR);
  log("the server is up");
  log(`the server got ${await requests.receive()}`);
});
spawn(async function client() {
  await persistently(() => requests.send("a letter"));
  log("the client is done");
});

await loop.run();

function log(event: string): void {
  const time = new Date(loop.time()).toISOString().slice(11, 19);
  console.log(`${time}  ${event}`);
}
