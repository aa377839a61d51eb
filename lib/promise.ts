import type { Reason } from "../loop/blocked.ts";
import { Scheduler } from "../loop/scheduler.ts";
import type { Strand } from "../loop/strand.ts";
import { checkpoint, OPEN, Wait } from "../loop/wait.ts";
import { recordTimers, type Timeout } from "./timer.ts";

const PlatformPromise = globalThis.Promise;
// deno-lint-ignore no-explicit-any
type AnyPromise = Promise<any>;
// deno-lint-ignore no-explicit-any
type Settle = ((value: any) => any) | null | undefined;

const platformThen = PlatformPromise.prototype.then;
const sourceOf = Function.prototype.toString;

const reason: Reason = { describe: () => "a promise of patched code" };

/** The timers that were started in the making of a promise: they are there for it. */
const timersOf = new WeakMap<AnyPromise, readonly Timeout[]>();

/**
 * What a promise has whose `await` is a blocking call: the task that awaits it can be killed and timed
 * out there.
 *
 * The platform's `await` asks a promise whose `constructor` is not the platform's own for its `then`, and calls it
 * with functions of its own, in the async context of who awaits. So a `then` that gets such functions is an
 * `await` (or one promise becoming another, which waits just so), and any other one is somebody's callback, which
 * waits for nothing.
 */
const cooperativeMembers: PropertyDescriptorMap = {
  then: {
    value: function then(this: AnyPromise, onFulfilled: Settle, onRejected: Settle): AnyPromise {
      if (isNative(onFulfilled) && isNative(onRejected)) {
        return waitFor(this, onFulfilled, onRejected);
      }
      const next = platformThen.call(this, onFulfilled, onRejected);
      return makeCooperative(next, timersOf.get(this), Object.getPrototypeOf(this));
    },
    configurable: true,
    writable: true,
  },
  finally: {
    value: function (this: AnyPromise, callback: () => unknown): AnyPromise {
      if (typeof callback !== "function") return this.then(callback, callback);
      // The platform's own would call `then` with functions that look as if somebody waited.
      return this.then(
        async (value) => {
          await callback();
          return value;
        },
        async (error) => {
          await callback();
          throw error;
        },
      );
    },
    configurable: true,
    writable: true,
  },
};

function waitFor(promise: AnyPromise, onFulfilled: Settle, onRejected: Settle): AnyPromise {
  const refused = checkpoint();
  const timers = timersOf.get(promise);
  // Whoever gives up leaves timers behind that nobody waits for. They go on, in case somebody does, but they keep
  // nothing going.
  const release = () => timers?.forEach((timer) => timer.unref());
  if (refused !== undefined) {
    release();
    platformThen.call(promise, undefined, () => {});
    return platformThen.call(refused, onFulfilled, onRejected);
  }
  const wait = Wait.begin(Scheduler.current(), reason, OPEN);
  platformThen.call(promise, (value) => wait.wake(value), (error) => wait.throw(error));
  let goesOn = false;
  wait.onLeave(() => {
    goesOn = outlives(wait.strand);
    release();
  });
  return platformThen.call(
    wait.promise,
    onFulfilled,
    (error) => goesOn ? platformThen.call(promise, onFulfilled, onRejected) : onRejected!(error),
  );
}

/**
 * Whether what waits in the name of this strand goes on without it: the task has ended by itself, and code that was
 * not written for tasks may have left something running for others, the connections of a pool for one. What a
 * killed task has left ends with it.
 */
export function outlives({ ended, task }: Strand): boolean {
  return ended && !(task?.signal.aborted ?? false);
}

function makeCooperative(
  promise: AnyPromise,
  timers: readonly Timeout[] | undefined,
  prototype: object,
): AnyPromise {
  if (timers !== undefined && timers.length > 0) timersOf.set(promise, timers);
  return Object.setPrototypeOf(promise, prototype);
}

function isNative(callback: Settle): boolean {
  return typeof callback === "function" && callback.name === "" &&
    sourceOf.call(callback).endsWith("{ [native code] }");
}

/**
 * Makes a `Promise` that makes cooperative promises.
 *
 * @param which All of them, or those in the making of which a cooperative timer is started, as in
 * `new Promise((resolve) => setTimeout(resolve, 100))`.
 */
function promiseConstructor(which: "all" | "timed"): PromiseConstructor {
  const prototype: AnyPromise = Object.create(PlatformPromise.prototype, cooperativeMembers);
  const constructor: PromiseConstructor = new Proxy(PlatformPromise, {
    construct(target, args, newTarget): object {
      if (newTarget !== constructor) return Reflect.construct(target, args, newTarget);
      let promise!: AnyPromise;
      const timers = recordTimers(() => promise = new PlatformPromise(args[0]));
      if (which === "timed" && timers.length === 0) return promise;
      return makeCooperative(promise, timers, prototype);
    },
    get(target, name, receiver) {
      // A class that inherits from it has these of its own.
      if (receiver !== constructor) return Reflect.get(target, name, receiver);
      if (name === "resolve") return resolve;
      if (name === "reject") return reject;
      return Reflect.get(target, name);
    },
  });

  // What is settled already is nothing to wait for.
  function resolve(this: unknown, value: unknown): AnyPromise {
    if (this !== constructor) return Reflect.apply(PlatformPromise.resolve, this, [value]);
    const isOwn = value instanceof PlatformPromise && value.constructor === constructor;
    return isOwn ? value : PlatformPromise.resolve(value);
  }

  function reject(this: unknown, error: unknown): AnyPromise {
    return Reflect.apply(PlatformPromise.reject, this === constructor ? PlatformPromise : this, [
      error,
    ]);
  }

  Object.defineProperty(prototype, "constructor", {
    value: constructor,
    configurable: true,
    writable: true,
  });
  return constructor;
}

/** `Promise` for patched modules: whatever they await is waited for cooperatively. */
export const AllCooperative: PromiseConstructor = promiseConstructor("all");

/** `Promise` for a program that is patched as a whole. */
export const TimedCooperative: PromiseConstructor = promiseConstructor("timed");
