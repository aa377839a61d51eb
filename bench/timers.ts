import { EventLoop, type Handler } from "../mod.ts";
import { compare } from "./_measure.ts";
import { report } from "./_report.ts";
import { inTask } from "./_task.ts";

function nothing(): void {}

/** Delays in no order, as a server's many timeouts are. */
function delay(i: number): number {
  return 10_000 + (i * 7_919) % 60_000;
}

function createAndCancel(timers: number): Promise<void> {
  return inTask(() => {
    const loop = EventLoop.current();
    const handlers: Handler[] = [];
    for (let i = 0; i < timers; i++) handlers.push(loop.callLater(delay(i), nothing));
    for (const handler of handlers) handler.cancel();
  });
}

function setAndClear(timers: number): void {
  const handles: ReturnType<typeof setTimeout>[] = [];
  for (let i = 0; i < timers; i++) handles.push(setTimeout(nothing, delay(i)));
  for (const handle of handles) clearTimeout(handle);
}

report({
  operation: "200,000 timers created and cancelled, to `setTimeout`",
  ...await compare(createAndCancel, setAndClear, { operations: 200_000, rounds: 7, warmUp: 2 }),
  unit: "ns",
  bound: { kind: "at most", limit: 0.1 },
});
