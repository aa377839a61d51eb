import { Scheduler } from "../loop/scheduler.ts";
import { Strand } from "../loop/strand.ts";

/** An object with attributes `T` that differ from task to task. */
export type Local<T extends object> = T;

/** How a {@linkcode Local} is made, or extended. */
export interface LocalConstructor {
  /** Makes one with no attributes set. What a subclass gives to `super()` its constructor gets again in each task. */
  // deno-lint-ignore no-explicit-any
  new <T extends object = Record<string, any>>(...args: unknown[]): T;
}

/** The attributes that a subclass's constructor is to set up, in place of making a new `Local`. */
let unfurnished: object | null = null;

class TaskLocal {
  constructor(...args: unknown[]) {
    if (unfurnished !== null) {
      const attributes = unfurnished;
      unfurnished = null;
      return attributes;
    }
    const Class = new.target;
    const perTask = new WeakMap<Strand, object>();
    perTask.set(Strand.current(Scheduler.current()), Object.create(Class.prototype));
    const own = (): object => {
      const strand = Strand.current(Scheduler.current());
      let attributes = perTask.get(strand);
      if (attributes === undefined) {
        attributes = Object.create(Class.prototype) as object;
        perTask.set(strand, attributes);
        if (Class !== TaskLocal) {
          unfurnished = attributes;
          try {
            new Class(...args);
          } finally {
            unfurnished = null;
          }
        }
      }
      return attributes;
    };
    return new Proxy(Object.create(Class.prototype), {
      get: (_, key, receiver) => Reflect.get(own(), key, receiver),
      set: (_, key, value) => Reflect.set(own(), key, value),
      has: (_, key) => Reflect.has(own(), key),
      deleteProperty: (_, key) => Reflect.deleteProperty(own(), key),
      ownKeys: () => Reflect.ownKeys(own()),
      // A proxy may not call a property fixed that its own target lacks.
      defineProperty: (_, key, property) =>
        Reflect.defineProperty(own(), key, { ...property, configurable: true }),
      getOwnPropertyDescriptor: (_, key) => Reflect.getOwnPropertyDescriptor(own(), key),
      preventExtensions: () => false,
    });
  }
}

/**
 * An object whose attributes differ from task to task, as `threading.local` in Python: what one task sets no
 * other sees. A subclass may declare fields; they are set up anew for each task that looks.
 *
 * What a task has set goes with the task.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Local, spawn } from "@evergreen/evergreen";
 *
 * const local = new Local<{ user?: string }>();
 * local.user = "main";
 * let seen: string | undefined = "nobody";
 * await spawn(() => seen = local.user).join();
 * assertEquals(seen, undefined);
 * assertEquals(local.user, "main");
 * ```
 */
export const Local: LocalConstructor = TaskLocal as unknown as LocalConstructor;
