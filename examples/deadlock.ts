/**
 * Two clerks move money between the same two accounts, and each locks them in an order of its own. Start it by
 *
 * ```sh
 * deno run examples/deadlock.ts
 * ```
 *
 * Most systems would hang here, or end without a word. This one says who waits for what, and where.
 */
import { DeadlockError, EventLoop, Lock, sleep, Task } from "@evergreen/evergreen";

const savings = new Lock();
const checking = new Lock();

async function transfer(from: Lock, to: Lock): Promise<void> {
  using _from = await from.hold();
  await sleep(10); // The paperwork.
  using _to = await to.hold();
  console.log("Transferred");
}

new Task(() => transfer(savings, checking), { name: "Alice" }).start();
new Task(() => transfer(checking, savings), { name: "Bob" }).start();

try {
  await EventLoop.current().run();
} catch (error) {
  if (!(error instanceof DeadlockError)) throw error;
  console.log(error.message);
}
