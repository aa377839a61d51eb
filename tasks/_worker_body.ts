import { isThenable } from "../loop/thenable.ts";
import { carry } from "../loop/carried_error.ts";
import { systemClock } from "../loop/clock.ts";
import { TaskExit } from "../loop/errors.ts";
import { takeTransfers, transferables } from "../loop/transfer.ts";
import { compile, type Target } from "./_function_source.ts";
import {
  BROKEN,
  CALL,
  DYING,
  type FromWorker,
  IDLE,
  ITEM,
  PROGRESS,
  PULL,
  RETURN,
  RETURNED,
  SETUP,
  type Setup,
  STREAM,
  THREW,
  type ToWorker,
  WINDOW,
} from "./_worker_messages.ts";
import { importFunction } from "./module_function.ts";
import type { Reporter } from "./progress.ts";

/** Sends to the side that started the worker. */
export type Send = (message: FromWorker, transfer: Transferable[]) => void;

/** How many functions are kept compiled. */
const KEPT = 1000;

/** What runs in a worker, thread or process alike: it makes one call at a time. */
export class WorkerBody {
  readonly #send: Send;
  readonly #compiled = new Map<string, (...args: never[]) => unknown>();
  #setup: Setup | null = null;
  #ready: Promise<void> | null = null;
  #calls = 0;
  #call = 0;
  #stopIdling: (() => void) | null = null;
  #stream: Credit | null = null;

  constructor(send: Send) {
    this.#send = send;
    // The platform ends the worker for it; this tells the other side why.
    addEventListener("error", ({ error }) => this.#send([DYING, this.#call, carry(error)], []));
    addEventListener(
      "unhandledrejection",
      ({ reason }) => this.#send([DYING, this.#call, carry(reason)], []),
    );
  }

  receive(message: ToWorker): void {
    switch (message[0]) {
      case CALL:
      case STREAM:
        this.#stopIdling?.();
        if (this.#ready === null) this.#launch(message);
        else this.#ready.then(() => this.#launch(message));
        break;
      case PULL:
        if (message[1] === this.#call) this.#stream?.add(message[2]);
        break;
      case RETURN:
        if (message[1] === this.#call) this.#stream?.close();
        break;
      case SETUP:
        this.#setup = message[2];
        if (message[2].initializer !== null) this.#initialize(message[2]);
    }
  }

  #initialize({ initializer, initializerArgs }: Setup): void {
    const done = (async () => {
      const fn = await this.#resolve(initializer!);
      await fn(...(initializerArgs as never[]));
    })();
    this.#ready = done.then(
      () => {
        this.#ready = null;
      },
      (error) => {
        this.#send([BROKEN, 0, carry(error)], []);
        return new Promise(() => {});
      },
    );
  }

  #launch(message: ToWorker & { 0: typeof CALL | typeof STREAM }): void {
    // Deno's threads watch their memory in whatever a timer started, but not in what a message did.
    if (this.#setup?.memoryLimited) setImmediate(() => this.#begin(message));
    else this.#begin(message);
  }

  #begin([kind, id, target, args, reporters]: ToWorker & { 0: typeof CALL | typeof STREAM }): void {
    this.#call = id;
    for (const index of reporters) args[index] = this.#reporter(id, index);
    try {
      const fn = this.#resolve(target);
      const result = fn instanceof Promise
        ? fn.then((fn) => fn(...(args as never[])))
        : fn(...(args as never[]));
      if (kind === STREAM) this.#pour(id, result);
      else if (!isThenable(result)) this.#finish(id, result);
      else {
        Promise.resolve(result).then(
          (value) => this.#finish(id, value),
          (error) => this.#fail(id, error),
        );
      }
    } catch (error) {
      this.#fail(id, error);
    }
  }

  #resolve(
    target: Target,
  ): ((...args: never[]) => unknown) | Promise<(...args: never[]) => unknown> {
    if (target.length === 2) return importFunction(target[0], target[1]);
    const [source] = target;
    let fn = this.#compiled.get(source);
    if (fn === undefined) {
      if (this.#compiled.size === KEPT) this.#compiled.clear();
      this.#compiled.set(source, fn = compile(source));
    }
    return fn;
  }

  /** Sends what a call yields, as far as it is asked for. */
  async #pour(id: number, result: unknown): Promise<void> {
    const credit = this.#stream = new Credit();
    try {
      for await (const item of iterable(await result)) {
        this.#sendValue([ITEM, id, item], "what the function yielded");
        if (!await credit.take()) break;
      }
      this.#finish(id, undefined);
    } catch (error) {
      this.#fail(id, error);
    } finally {
      this.#stream = null;
    }
  }

  #finish(id: number, value: unknown): void {
    try {
      this.#sendValue([RETURNED, id, value], "the result");
      this.#ended();
    } catch (error) {
      this.#fail(id, error);
    }
  }

  #fail(id: number, error: unknown): void {
    this.#send([THREW, id, carry(error)], []);
    this.#ended();
  }

  #sendValue(message: [typeof RETURNED | typeof ITEM, number, unknown], what: string): void {
    const value = message[2];
    const isObject = typeof value === "object" && value !== null;
    const moved = !isObject
      ? []
      : this.#setup?.transferResults
      ? transferables(value)
      : takeTransfers([value]);
    try {
      this.#send(message, moved);
    } catch (cause) {
      const why = (cause as Error).message;
      throw new TypeError(`Cannot send back ${what}: ${why}`, { cause });
    }
  }

  #ended(): void {
    this.#calls++;
    const idleTimeout = this.#setup?.idleTimeout ?? null;
    if (idleTimeout === null) return;
    const cancel = systemClock.wakeAt(systemClock.time() + idleTimeout, () => {
      this.#stopIdling = null;
      this.#send([IDLE, this.#calls], []);
    });
    this.#stopIdling = () => {
      cancel();
      this.#stopIdling = null;
    };
  }

  #reporter(id: number, index: number): Reporter<unknown> {
    const stopped = this.#setup?.stopped ?? null;
    return {
      send: (value) => {
        if (stopped !== null && Atomics.load(stopped, 0) === 1) {
          throw new TaskExit("The call was terminated");
        }
        if (id === this.#call) this.#send([PROGRESS, id, index, value], takeTransfers([value]));
      },
    };
  }
}

/** How many items the other side wants. */
class Credit {
  #left = WINDOW - 1;
  #closed = false;
  #wake: (() => void) | null = null;

  add(items: number): void {
    this.#left += items;
    this.#wake?.();
  }

  close(): void {
    this.#closed = true;
    this.#wake?.();
  }

  /** Waits until another item is wanted; `false` if none is any more. */
  async take(): Promise<boolean> {
    while (this.#left === 0 && !this.#closed) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    this.#left--;
    return !this.#closed;
  }
}

function iterable(result: unknown): AsyncIterable<unknown> | Iterable<unknown> {
  const { [Symbol.asyncIterator]: async, [Symbol.iterator]: sync } = Object(result);
  if (typeof async === "function" || typeof sync === "function") return result as never;
  throw new TypeError("Cannot stream what the function returned: it is not iterable");
}
