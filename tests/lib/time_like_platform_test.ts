// What lib.time does, beside what the platform does: the same calls have the same outcome.
import { assertEquals } from "@std/assert";
import { lib } from "../../mod.ts";
import { runLoop } from "../run_loop.ts";

/** The platform's functions, or the cooperative ones. */
// deno-lint-ignore no-explicit-any
type Timers = any;

const platform: Timers = { setTimeout, setInterval, clearTimeout, clearInterval };

/** Waits, by the platform's clock. */
function pass(): Promise<void> {
  return new Promise((resolve) => platform.setTimeout(resolve, 20));
}

function outcomeOf(call: () => unknown): unknown {
  try {
    return call() ?? "nothing";
  } catch (error) {
    const { name, message, code } = error as Error & { code?: string };
    return [name, message, code];
  }
}

const cases: Record<string, (timers: Timers) => unknown> = {
  "what is no function": ({ setTimeout, setInterval }) =>
    ["alert()", undefined, null, {}, 1].flatMap((thing) => [
      outcomeOf(() => setTimeout(thing)),
      outcomeOf(() => setInterval(thing)),
    ]),
  "delays that are no numbers": ({ setTimeout }) => [
    outcomeOf(() => setTimeout(() => {}, Symbol())),
    outcomeOf(() => setTimeout(() => {}, 1n)),
    outcomeOf(() =>
      setTimeout(() => {}, {
        valueOf() {
          throw new Error("no value");
        },
      })
    ),
  ],
  "a timer as a number and as a string": ({ setTimeout, clearTimeout }) => {
    const timer = setTimeout(() => {}, 1);
    clearTimeout(timer);
    return [
      typeof timer,
      typeof +timer,
      `${timer}` === `${+timer}`,
      timer == +timer,
      typeof timer[Symbol.toPrimitive]("string"),
    ];
  },
  "whether a timer is referenced": ({ setTimeout, clearTimeout }) => {
    const timer = setTimeout(() => {}, 1);
    const states = [timer.hasRef(), timer.unref().hasRef(), timer.ref().hasRef()];
    clearTimeout(timer);
    return [...states, timer.hasRef()];
  },
  "clearing what is no timer": ({ clearTimeout, clearInterval }) =>
    [undefined, null, 0, -1, NaN, "x", "", {}, [], true, Symbol(), 5n].flatMap((thing) => [
      outcomeOf(() => clearTimeout(thing)),
      outcomeOf(() => clearInterval(thing)),
    ]),
  "the order of timers": async ({ setTimeout }) => {
    const log: string[] = [];
    setTimeout(() => log.push("two"), 2);
    setTimeout(() => log.push("one"), 1);
    setTimeout(() => log.push("zero"), 0);
    setTimeout(() => log.push("one, too"), 1);
    await pass();
    return log;
  },
  "microtasks and nested timers": async ({ setTimeout }) => {
    const log: string[] = [];
    setTimeout(() => {
      log.push("first");
      setTimeout(() => log.push("nested"), 0);
      Promise.resolve().then(() => {}).then(() => log.push("microtask"));
    }, 1);
    setTimeout(() => log.push("second"), 1);
    await pass();
    return log;
  },
  "clearing from within": async ({ setTimeout, clearTimeout, setInterval, clearInterval }) => {
    let count = 0;
    const interval = setInterval(() => {
      if (++count === 3) clearInterval(interval);
    }, 1);
    let closed = 0;
    setInterval(function (this: { close(): void }) {
      closed++;
      this.close();
    }, 1);
    setTimeout(() => clearTimeout(later), 1);
    let wasCalled = false;
    const later = setTimeout(() => wasCalled = true, 1);
    await pass();
    return [count, closed, wasCalled];
  },
  "arguments and this": async ({ setTimeout, setInterval, clearInterval }) => {
    const log: unknown[] = [];
    const timer = setTimeout(
      function (this: unknown, ...args: unknown[]) {
        log.push(this === timer, args);
      },
      1,
      1,
      null,
      undefined,
    );
    const interval = setInterval(
      (...args: unknown[]) => {
        log.push(args);
        clearInterval(interval);
      },
      1,
      "two",
    );
    setTimeout.call(null, () => log.push("called on null"), 2);
    await pass();
    return log;
  },
  "refresh()": async ({ setTimeout, clearTimeout }) => {
    let after = 0;
    let cleared = 0;
    const timer = setTimeout(() => after++, 1);
    await pass();
    timer.refresh();
    const other = setTimeout(() => cleared++, 1);
    clearTimeout(other);
    other.refresh();
    await pass();
    return [after, cleared];
  },
  "each function clears what the other has started": async (
    { setTimeout, setInterval, clearTimeout, clearInterval },
  ) => {
    const log: string[] = [];
    clearInterval(setTimeout(() => log.push("timeout"), 1));
    clearTimeout(setInterval(() => log.push("interval"), 1));
    clearTimeout(`${+setTimeout(() => log.push("string"), 1)}`);
    {
      using _ = setTimeout(() => log.push("disposed"), 1);
    }
    await pass();
    return log;
  },
  "names and lengths": (timers) =>
    ["setTimeout", "setInterval", "clearTimeout", "clearInterval"].map((name) => [
      timers[name].name,
      timers[name].length,
    ]),
};

for (const [name, call] of Object.entries(cases)) {
  Deno.test(`lib.time does as the platform does: ${name}`, () =>
    runLoop(async () => {
      const expected = await call(platform);
      assertEquals(await call(lib.time), expected);
    }, { clock: undefined }));
}
