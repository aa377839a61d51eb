import { Line } from "../loop/line.ts";
import { givesFalse } from "../loop/wait.ts";
import { WINDOW } from "./_worker_messages.ts";
import { CallStream, mailboxOf } from "./call_stream.ts";
import { type Future, outcomeOf } from "./future.ts";

/**
 * Streams what a call yields that is made in a task of this thread.
 *
 * @param call Makes the call, and gives what it returned.
 * @param submit Has a function called.
 */
export function streamLocally(
  call: () => unknown,
  submit: (pour: () => Promise<void>) => Future<void>,
): CallStream<unknown> {
  const room = new Line<boolean>(() => "room in a CallStream");
  let ahead = 0;
  let left = false;
  const stream = new CallStream<unknown>({
    taken: () => {
      ahead--;
      room.wakeAll(true);
    },
    leave: () => {
      left = true;
      future.cancel();
      room.wakeAll(true);
    },
    terminate: () => {
      left = true;
      future.terminate();
    },
  });
  const mailbox = mailboxOf(stream);
  const future = submit(async () => {
    for await (const item of (await call()) as AsyncIterable<unknown>) {
      ahead++;
      mailbox.push(item);
      while (ahead >= WINDOW && !left) await room.wait(givesFalse);
      if (left) break;
    }
  });
  future.addDoneCallback(() => {
    const { failed, value } = outcomeOf(future);
    mailbox.close(failed ? value : undefined);
  });
  return stream;
}
