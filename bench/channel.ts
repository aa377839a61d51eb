import { Channel } from "../mod.ts";
import { awaitNull } from "./_floor.ts";
import { handOverAmong } from "./_least_switch.ts";
import { compare } from "./_measure.ts";
import { report } from "./_report.ts";
import { inTasks } from "./_task.ts";

function sendAndReceive(messages: number): Promise<void> {
  const channel = new Channel<number>();
  return inTasks(
    async () => {
      for (let i = 0; i < messages; i++) await channel.send(i);
    },
    async () => {
      for (let i = 0; i < messages; i++) await channel.receive();
    },
  );
}

report({
  operation: "`Channel` message between 2 tasks, to `await null`",
  ...await compare(sendAndReceive, awaitNull, { operations: 100_000 }),
  unit: "ns",
  bound: { kind: "at most", limit: 5 },
});

// Neither side can be two messages ahead, so there is a switch for each.
report({
  operation: "`Channel` message between 2 tasks, to the least switch",
  ...await compare(sendAndReceive, (n) => handOverAmong(2, n), { operations: 100_000 }),
  unit: "ns",
});
