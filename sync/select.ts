import { shown } from "../loop/arguments.ts";
import type { Line } from "../loop/line.ts";
import { Scheduler } from "../loop/scheduler.ts";
import type { Strand } from "../loop/strand.ts";
import {
  checkpoint,
  raisesTimeout,
  TASK,
  Wait,
  type Waiter,
  type WaitOptions,
} from "../loop/wait.ts";
import { Selectable, type SelectSource, sourceOf } from "../tasks/selectable.ts";

/** What {@linkcode select} gives: the key of the case that was chosen, and its value. */
export type Selected<C extends Record<string, Selectable<unknown>>> = {
  [K in keyof C]: { key: K; value: C[K] extends Selectable<infer T> ? T : never };
}[keyof C];

/**
 * Waits for several things, and does exactly one of them: the others are left as if nobody had asked. If several
 * are ready the first listed is taken, or one drawn by the loop's seed. After Go's `select`.
 *
 * @param cases By name: `channel.receiving()`, `channel.sending(value)`, `queue.getting()`, `queue.putting(item)`,
 * `event.waiting()`, `task.joining()`, `future.getting()`, {@linkcode after}.
 * @returns The name of the case, and its value.
 * @throws Whatever the case throws that fails first.
 * @throws {TimeoutError} If none is ready within `options.timeout`.
 * @throws {RangeError} If there are no cases.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { after, Channel, Queue, select } from "@evergreen/evergreen";
 *
 * const channel = new Channel<string>();
 * const queue = new Queue<number>();
 * await queue.put(7);
 * const chosen = await select({
 *   message: channel.receiving(),
 *   item: queue.getting(),
 *   late: after(1_000),
 * });
 * assertEquals(chosen, { key: "item", value: 7 });
 * ```
 */
export function select<C extends Record<string, Selectable<unknown>>>(
  cases: C,
  options?: WaitOptions,
): Promise<Selected<C>> {
  const refused = checkpoint(options);
  if (refused !== undefined) return refused;
  try {
    const entries = sources(cases);
    const { choose } = Scheduler.current();
    for (const [key, source] of choose === null ? entries : shuffled(entries, choose)) {
      const polled = source.poll();
      if (polled !== null) {
        return Promise.resolve({ key, value: polled.value } as unknown as Selected<C>);
      }
    }
    if (options?.timeout === 0) return raisesTimeout.atOnce();
    return new Selection(entries, options).promise as Promise<Selected<C>>;
  } catch (error) {
    return Promise.reject(error);
  }
}

function sources(cases: Record<string, Selectable<unknown>>): [string, SelectSource<unknown>][] {
  const entries = Object.entries(cases).map(([key, selectable]) => {
    if (!(selectable instanceof Selectable)) {
      throw new TypeError(
        `Cannot select: case ${key} must be something like channel.receiving(), not ${
          shown(selectable)
        }`,
      );
    }
    return [key, sourceOf(selectable)] as [string, SelectSource<unknown>];
  });
  if (entries.length === 0) throw new RangeError("Cannot select: there are no cases");
  return entries;
}

function shuffled<T>(items: T[], choose: (n: number) => number): T[] {
  const rest = [...items];
  return items.map(() => rest.splice(choose(rest.length), 1)[0]);
}

/** One wait that stands in several lines. */
class Selection {
  readonly promise: Promise<unknown>;
  readonly #wait: Wait;
  readonly #cases: Case[] = [];

  constructor(entries: [string, SelectSource<unknown>][], options: WaitOptions | undefined) {
    const scheduler = Scheduler.current();
    const describe = (): string =>
      `select() of ${entries.map(([key, source]) => `${key}: ${source.describe()}`).join("; ")}`;
    this.#wait = Wait.begin(scheduler, { describe }, TASK);
    this.promise = this.#wait.promise;
    const withdraw = (): void => this.withdraw();
    for (const [key, source] of entries) {
      const one = new Case(this, this.#wait.strand, key);
      this.#cases.push(one);
      one.leave = source.enlist(one) ?? null;
    }
    this.#wait.onLeave(withdraw);
    if (options !== undefined) this.#wait.limit(options, raisesTimeout);
  }

  /** Takes all cases out of whatever they stand in. */
  withdraw(): void {
    for (const one of this.#cases) one.withdraw();
  }

  wake(value: unknown): void {
    this.withdraw();
    this.#wait.wake(value);
  }

  throw(error: unknown): void {
    this.withdraw();
    this.#wait.throw(error);
  }

  raise(make: () => unknown): void {
    this.withdraw();
    this.#wait.raise(make);
  }
}

/** One case of a selection. Whoever serves it serves the selection. */
class Case implements Waiter {
  // deno-lint-ignore no-explicit-any
  line: Line<any> | null = null;
  ahead: Waiter | null = null;
  behind: Waiter | null = null;
  offer: unknown = undefined;
  leave: (() => void) | null = null;

  constructor(readonly selection: Selection, readonly strand: Strand, readonly key: string) {}

  withdraw(): void {
    this.line?.remove(this);
    this.leave?.();
    this.leave = null;
  }

  wake(value: unknown): void {
    this.selection.wake({ key: this.key, value });
  }

  throw(error: unknown): void {
    this.selection.throw(error);
  }

  raise(make: () => unknown): void {
    this.selection.raise(make);
  }
}
