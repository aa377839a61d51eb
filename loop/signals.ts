import { checkCallback } from "./arguments.ts";
import { Callback, type Handler } from "./handler.ts";
import type { Scheduler } from "./scheduler.ts";

/** The signal handlers of a loop: many for each signal, behind one listener of the platform's. */
export class Signals {
  readonly #scheduler: Scheduler;
  readonly #listened = new Map<Deno.Signal, { handlers: Set<Callback>; listener: () => void }>();

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  add(
    signal: Deno.Signal, // deno-lint-ignore no-explicit-any
    callback: (...args: any[]) => void,
    args: unknown[],
  ): Handler {
    checkCallback("add a signal handler", callback);
    const handler = new Callback(this.#scheduler, callback, args);
    const { handlers } = this.#listened.get(signal) ?? this.#listen(signal);
    handlers.add(handler);
    return handler.onCancel(() => {
      handlers.delete(handler);
      if (handlers.size === 0 && this.#listened.get(signal)?.handlers === handlers) {
        this.#unlisten(signal);
      }
    });
  }

  remove(signal: Deno.Signal): boolean {
    const listened = this.#listened.get(signal);
    if (listened === undefined) return false;
    for (const handler of listened.handlers) handler.cancel();
    return true;
  }

  clear(): void {
    for (const signal of [...this.#listened.keys()]) this.remove(signal);
  }

  #listen(signal: Deno.Signal): { handlers: Set<Callback>; listener: () => void } {
    const handlers = new Set<Callback>();
    const listener = (): void => {
      for (const handler of handlers) this.#scheduler.enqueue(handler);
    };
    Deno.addSignalListener(signal, listener); // A TypeError if the platform does not know it.
    const listened = { handlers, listener };
    this.#listened.set(signal, listened);
    this.#scheduler.census.listeners++;
    this.#scheduler.check();
    return listened;
  }

  #unlisten(signal: Deno.Signal): void {
    Deno.removeSignalListener(signal, this.#listened.get(signal)!.listener);
    this.#listened.delete(signal);
    this.#scheduler.census.listeners--;
    this.#scheduler.check();
  }
}
