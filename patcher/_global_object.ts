/**
 * The global object as patched modules see it: what is patched is in the place of the platform's own, all else is
 * the platform's. It is a view: what a module sets is set for everybody.
 */
export function globalWith(own: ReadonlyMap<string, unknown>): typeof globalThis {
  // Some of the platform's methods want to be called on the global object itself.
  const bound = new Map<unknown, unknown>();
  const view: typeof globalThis = new Proxy(globalThis, {
    get(target, name) {
      if (typeof name === "string" && own.has(name)) return own.get(name);
      const value = Reflect.get(target, name, target);
      if (value === target) return view;
      if (typeof value !== "function" || "prototype" in value) return value;
      if (!bound.has(value)) bound.set(value, value.bind(target));
      return bound.get(value);
    },
    set: (target, name, value) => Reflect.set(target, name, value, target),
  });
  return view;
}
