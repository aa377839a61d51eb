/**
 * Injects an early end into a scenario at each of its steps, one run per step.
 *
 * A scenario has a victim and others who want the same things. Each run ends the victim one step
 * later than the run before, first ahead of whatever the others do in that turn and then after it,
 * until the victim is through before the blow falls. After each run the scenario's invariant must
 * hold: nothing lost, nothing held, everybody else served. Somebody who waits in vain shows as a
 * {@linkcode DeadlockError}, which fails the run too.
 */
import { sleep, spawn, type Task, Timeout, type WaitOptions } from "../mod.ts";
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
}

/** How the victim is ended, and whether before or after what the others do in that turn. */
interface Blow {
  readonly name: string;
  /** Steps that take time, for blows that a timer deals. */
  readonly timed: boolean;
  /** Spawns what will deal the blow after `steps`; returns how to run the victim's body. */
  arm(steps: number, victim: () => Task): {
    wait: WaitOptions;
    around<T>(body: () => Promise<T>): Promise<T | undefined>;
    strike?: () => Promise<void>;
  };
}

const plain = <T>(body: () => Promise<T>) => body();

async function after(steps: number) {
  for (let i = 0; i < steps; i++) await sleep(0);
}

const BLOWS: readonly Blow[] = [
  {
    name: "killed",
    timed: false,
    arm: (steps, victim) => ({
      wait: {},
      around: plain,
      strike: async () => {
        await after(steps);
        victim().kill();
      },
    }),
  },
  {
    name: "aborted",
    timed: false,
    arm(steps) {
      const controller = new AbortController();
      return {
        wait: { signal: controller.signal },
        around: plain,
        strike: async () => {
          await after(steps);
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

/** More steps than any scenario here has; reaching it means that the victim never gets through. */
const TOO_MANY = 200;

/** Registers a test for each way of ending the victim of `scenario`. */
export function killAtEveryStep<S>(name: string, scenario: Scenario<S>): void {
  for (const blow of BLOWS) {
    Deno.test(`${name}, whenever one of them is ${blow.name}`, async () => {
      for (const seed of SEEDS) {
        for (const order of blow.timed ? ["last"] as const : ["first", "last"] as const) {
          let steps = 0;
          while (!await runOnce(scenario, { blow, steps, order, seed })) {
            if (++steps > TOO_MANY) throw new Error("The victim never came through");
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
  try {
    return await runLoop(async () => {
      const state = await scenario.make();
      const step: Step = () => sleep(blow.timed ? 1 : 0);
      const armed = blow.arm(steps, () => victim);
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
      for (const task of tasks) await task.join();
      await scenario.check(state);
      return armed.strike ? inVain : through;
    }, { seed });
  } catch (error) {
    const how = `${blow.name} after ${steps} steps, dealt ${order}, seed ${seed}`;
    throw new Error(`With the victim ${how}`, { cause: error });
  }
}
