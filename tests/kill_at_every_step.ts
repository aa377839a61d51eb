/**
 * Injects an early end into a scenario at each of its steps, one run per step.
 *
 * A scenario has a victim and others who want the same things. Each run ends the victim one step
 * later than the run before, first ahead of whatever the others do in that turn and then after it,
 * until the victim is through before the blow falls. After each run the scenario's invariant must
 * hold: nothing lost, nothing held, everybody else served. Somebody who waits in vain shows as a
 * {@linkcode DeadlockError}, which fails the run too.
 */
import {
  cooperate,
  type ExceptionContext,
  sleep,
  spawn,
  StreamError,
  type Task,
  Timeout,
  type WaitOptions,
} from "../mod.ts";
import { outcomeOf, runLoop } from "./run_loop.ts";

/** One step: every task that is ready has its turn. */
export type Step = () => Promise<void>;

/** A victim among others, and what must hold whenever the victim was ended. */
export interface Scenario<S> {
  /** A fresh state for each run, made in the main task. */
  make(): S | Promise<S>;
  /** What the victim does; `wait` belongs into each of its blocking calls. `false`: it gave up. */
  victim(state: S, wait: WaitOptions, step: Step): Promise<unknown>;
  /** What the others do beside it; each in a task of its own. */
  others: ((state: S, step: Step) => Promise<unknown>)[];
  /** Called in the main task when everybody has ended; asserts the invariant. */
  check(state: S): unknown;
  /** Called in the main task at the end, whatever has happened: lets go of what is outside. */
  release?(state: S): unknown;
  /** Whether it waits for the outside: then time is real, and a step is a turn of the platform. */
  readonly outside?: boolean;
  /** The ways to end the victim; by default all. */
  readonly blows?: readonly BlowName[];
}

/** What happens to the victim. */
export type BlowName = "killed" | "aborted" | "timed out" | "ended by a Timeout";

/** How the victim is ended, and whether before or after what the others do in that turn. */
interface Blow {
  readonly name: BlowName;
  /** Steps that take time, for blows that a timer deals. */
  readonly timed: boolean;
  /** Spawns what will deal the blow after `steps`; returns how to run the victim's body. */
  arm(steps: number, victim: () => Task, step: Step): {
    wait: WaitOptions;
    around<T>(body: () => Promise<T>): Promise<T | undefined>;
    strike?: () => Promise<void>;
  };
}

const plain = <T>(body: () => Promise<T>) => body();

async function after(steps: number, step: Step) {
  for (let i = 0; i < steps; i++) await step();
}

/** A turn in which the platform looks at what comes from outside. */
const turn: Step = () => cooperate(new Promise<void>((resolve) => setImmediate(resolve)));

const BLOWS: readonly Blow[] = [
  {
    name: "killed",
    timed: false,
    arm: (steps, victim, step) => ({
      wait: {},
      around: plain,
      strike: async () => {
        await after(steps, step);
        victim().kill();
      },
    }),
  },
  {
    name: "aborted",
    timed: false,
    arm(steps, _victim, step) {
      const controller = new AbortController();
      return {
        wait: { signal: controller.signal },
        around: plain,
        strike: async () => {
          await after(steps, step);
          controller.abort(new Error("aborted by the test"));
        },
      };
    },
  },
  {
    name: "timed out",
    timed: true,
    arm: (steps) => ({ wait: { timeout: steps }, around: plain }),
  },
  {
    name: "ended by a Timeout",
    timed: true,
    arm: (steps) => ({
      wait: {},
      around: (body) => new Timeout(steps).run(body),
    }),
  },
];

/** In the order of readiness, and in some others. */
const SEEDS = [undefined, 1, 2, 3];
/** Outside things come in an order of their own. */
const FEW_SEEDS = [undefined, 1];

/** More steps than any scenario here has; reaching it means that the victim never gets through. */
const TOO_MANY = 200;
/** What comes from outside may take thousands of turns: after the first few, fewer and fewer of them are tried. */
const later = (steps: number) => steps < 12 ? steps + 1 : Math.ceil(steps * 1.6);
/** Who waits longer than this for something outside waits for ever, in milliseconds. */
const TOO_LONG = 10_000;

/** Registers a test for each way of ending the victim of `scenario`. */
export function killAtEveryStep<S>(name: string, scenario: Scenario<S>): void {
  for (const blow of BLOWS) {
    if (scenario.blows?.includes(blow.name) === false) continue;
    Deno.test(`${name}, whenever one of them is ${blow.name}`, async () => {
      for (const seed of scenario.outside ? FEW_SEEDS : SEEDS) {
        for (const order of blow.timed ? ["last"] as const : ["first", "last"] as const) {
          let steps = 0;
          while (!await runOnce(scenario, { blow, steps, order, seed })) {
            steps = scenario.outside ? later(steps) : steps + 1;
            if (steps > (scenario.outside ? Infinity : TOO_MANY)) {
              throw new Error("The victim never came through");
            }
          }
        }
      }
    });
  }
}

/** One way of running a scenario. */
interface Injection {
  readonly blow: Blow;
  readonly steps: number;
  readonly order: "first" | "last";
  readonly seed: number | undefined;
}

/** Runs the scenario once; tells if the victim was through before the blow fell. */
async function runOnce<S>(scenario: Scenario<S>, injection: Injection): Promise<boolean> {
  const { blow, steps, order, seed } = injection;
  const reports: ExceptionContext[] = [];
  try {
    const through = await runLoop(async () => {
      const state = await scenario.make();
      await using _ = { [Symbol.asyncDispose]: async () => void await scenario.release?.(state) };
      const step: Step = scenario.outside ? turn : () => sleep(blow.timed ? 1 : 0);
      const armed = blow.arm(steps, () => victim, step);
      let through = false;
      let inVain = false;
      // One of the others stands before the victim in every line, the rest behind it.
      const [before, ...behind] = scenario.others;
      const tasks: Task[] = [];
      const strike = () => {
        if (!armed.strike) return;
        tasks.push(spawn(async () => {
          await armed.strike?.();
          inVain = through;
        }));
      };
      if (order === "first") strike();
      if (before) tasks.push(spawn(() => before(state, step)));
      const victim = spawn(async () => {
        await outcomeOf(() =>
          armed.around(async () => {
            through = await scenario.victim(state, armed.wait, step) !== false;
          })
        );
      });
      tasks.push(victim);
      for (const other of behind) tasks.push(spawn(() => other(state, step)));
      if (order === "last") strike();
      const limit = scenario.outside ? { timeout: TOO_LONG } : {};
      for (const task of tasks) {
        if (!await task.join(limit)) throw new Error("Somebody waits for ever");
      }
      await scenario.check(state);
      return armed.strike ? inVain : through;
    }, scenario.outside ? { seed, clock: undefined, reports } : { seed });
    for (const { error } of reports) {
      // That the victim has gone is an error of the other side's, which nobody need catch.
      if (!(error instanceof StreamError)) throw error;
    }
    return through;
  } catch (error) {
    const how = `${blow.name} after ${steps} steps, dealt ${order}, seed ${seed}`;
    throw new Error(`With the victim ${how}`, { cause: error });
  }
}
