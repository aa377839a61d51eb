import { checkCallback, shown } from "./arguments.ts";
import { RuntimeError } from "./errors.ts";
import { Callback, type Handler } from "./handler.ts";
import {
  type Direction,
  type Pollable,
  type PollSource,
  type Watch,
  watching,
} from "./poll_source.ts";
import type { Scheduler } from "./scheduler.ts";

// deno-lint-ignore no-explicit-any
type AnyCallback = (...args: any[]) => void;

/** The readers and writers of a loop: one of each for a source. */
export class Readiness {
  readonly #scheduler: Scheduler;
  readonly #readers = new Map<Pollable, Watcher>();
  readonly #writers = new Map<Pollable, Watcher>();

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  add(direction: Direction, source: Pollable, callback: AnyCallback, args: unknown[]): Handler {
    const role = direction === "read" ? "reader" : "writer";
    checkCallback(`add a ${role}`, callback);
    const watchers = this.#watchers(direction);
    if (watchers.has(source)) {
      throw new RuntimeError(
        `Cannot add a ${role}: ${shownSource(source)} has one already; remove it first`,
      );
    }
    const { census } = this.#scheduler;
    const watcher = new Watcher(this.#scheduler, callback, args);
    watcher.watch = watch(this.#scheduler, source, direction, (error) => watcher.notified(error));
    watchers.set(source, watcher);
    census.holds++;
    watcher.onCancel(() => {
      watchers.delete(source);
      watcher.watch!.close();
      census.holds--;
      this.#scheduler.check();
    });
    watcher.watch.arm();
    this.#scheduler.check();
    return watcher;
  }

  remove(direction: Direction, source: Pollable): boolean {
    const watcher = this.#watchers(direction).get(source);
    watcher?.cancel();
    return watcher !== undefined;
  }

  clear(): void {
    for (const watcher of [...this.#readers.values(), ...this.#writers.values()]) watcher.cancel();
  }

  #watchers(direction: Direction): Map<Pollable, Watcher> {
    return direction === "read" ? this.#readers : this.#writers;
  }
}

/** A reader or writer: called at each turn of the loop in which its source is ready. */
class Watcher extends Callback {
  watch: Watch | null = null;

  notified(error?: Error): void {
    if (error === undefined) {
      this.scheduler.enqueue(this);
    } else {
      this.cancel();
      this.scheduler.report({ error, handler: this, message: "Unhandled end of a watched source" });
    }
  }

  override run(): void {
    super.run();
    // Not before: while it waits for its turn, or does its work, there is nothing more to say.
    if (!this.cancelled) this.watch!.arm();
  }
}

/**
 * Makes a watch of `source`.
 *
 * @throws {TypeError} If it cannot be watched; see `Descriptors.watch()` for the rest.
 */
export function watch(
  scheduler: Scheduler,
  source: Pollable,
  direction: Direction,
  notify: (error?: Error) => void,
): Watch {
  if (typeof source === "number") return scheduler.descriptors.watch(source, direction, notify);
  if (typeof (source as PollSource | null)?.[watching] === "function") {
    return source[watching](direction, notify);
  }
  throw new TypeError(
    `Cannot watch ${shown(source)}: a descriptor, or a stream, socket or server is needed`,
  );
}

function shownSource(source: Pollable): string {
  return typeof source === "number" ? `descriptor ${source}` : shown(source);
}
