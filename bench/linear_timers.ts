import { EventLoop, type Handler } from "../mod.ts";
import { elapsed, reportGrowth } from "./_growth.ts";
import { inTask } from "./_task.ts";

const LONGEST = 20;

function nothing(): void {}

/** Up to {@linkcode LONGEST}, in no order. */
function shortDelay(i: number): number {
  return 1 + (i * 7_919) % LONGEST;
}

/** Delays in no order, as a server's many timeouts are. */
function longDelay(i: number): number {
  return 10_000 + (i * 7_919) % 60_000;
}

/** How long it takes to call `count` timers of `create`, which have all come due when `settle` waits. */
function callAll(
  count: number,
  create: (delay: number, callback: () => void) => void,
  settle: (all: Promise<void>) => Promise<void>,
): Promise<number> {
  const all = Promise.withResolvers<void>();
  let left = count;
  const called = () => {
    if (--left === 0) all.resolve();
  };
  for (let i = 0; i < count; i++) create(shortDelay(i), called);
  const due = performance.now() + LONGEST + 1;
  while (performance.now() < due);
  return elapsed(() => settle(all.promise));
}

async function callHandlers(count: number): Promise<number> {
  let duration = 0;
  await inTask(async () => {
    const loop = EventLoop.current();
    duration = await callAll(
      count,
      (delay, callback) => loop.callLater(delay, callback),
      (all) => loop.cooperate(all),
    );
  });
  return duration;
}

function callTimeouts(count: number): Promise<number> {
  return callAll(count, (delay, callback) => setTimeout(callback, delay), (all) => all);
}

async function cancelHandlers(count: number): Promise<number> {
  let duration = 0;
  await inTask(async () => {
    const loop = EventLoop.current();
    duration = await elapsed(() => {
      const handlers: Handler[] = [];
      for (let i = 0; i < count; i++) handlers.push(loop.callLater(longDelay(i), nothing));
      for (const handler of handlers) handler.cancel();
    });
  });
  return duration;
}

function clearTimeouts(count: number): Promise<number> {
  return elapsed(() => {
    const handles: ReturnType<typeof setTimeout>[] = [];
    for (let i = 0; i < count; i++) handles.push(setTimeout(nothing, longDelay(i)));
    for (const handle of handles) clearTimeout(handle);
  });
}

// Ten thousand fit in a processor's own cache, a hundred thousand do not, which alone makes each 2.5 times as
// dear; from there to a million it is linear again.
await reportGrowth("timers that have come due", 1_000, callHandlers, callTimeouts);
await reportGrowth("timers created and cancelled", 10_000, cancelHandlers, clearTimeouts);
