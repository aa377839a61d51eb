import { RuntimeError, TaskExit, TimeoutError } from "./errors.ts";

/** An error as data: what structured clone would lose of it is kept. */
export interface CarriedError {
  /** The names of its classes, its own first. */
  readonly classes: readonly string[];
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly cause: Carried | undefined;
  /** Those of an `AggregateError`. */
  readonly errors: readonly Carried[] | undefined;
  /** Its own properties, as far as they can be cloned. */
  readonly properties: Readonly<Record<string, Carried>> | undefined;
}

/** Whatever may be thrown, as data. */
export type Carried = { readonly error: CarriedError } | { readonly value: unknown };

/** A class of errors, however they are made. */
// deno-lint-ignore no-explicit-any
export type ErrorClass = abstract new (...args: any[]) => Error;

const known = new Map<string, ErrorClass>();

/**
 * Makes error classes known by name: one that was thrown in another thread or process arrives as an instance
 * of the class that has its name here. A module that both sides import is the place to call this.
 *
 * What arrives was not made by the class's constructor: it has the class's prototype, and the name, message,
 * stack, cause and own properties of the error that was thrown. The platform's classes and this library's are
 * known without it.
 *
 * @throws {TypeError} If one of them is no class of errors.
 *
 * @example
 * ```ts
 * import { assert, assertEquals } from "@std/assert";
 * import { registerErrorClass, ThreadPoolExecutor } from "@evergreen/evergreen";
 *
 * class PaperJam extends Error {
 *   constructor(readonly tray: number) {
 *     super(`Paper jam in tray ${tray}`);
 *   }
 * }
 * registerErrorClass(PaperJam);
 *
 * await using pool = new ThreadPoolExecutor(1);
 * const future = pool.submit(() => {
 *   class PaperJam extends Error {
 *     tray = 2;
 *   }
 *   throw new PaperJam("Paper jam in tray 2");
 * });
 * const error = await future.get().catch((error) => error);
 * assert(error instanceof PaperJam);
 * assertEquals(error.tray, 2);
 * ```
 */
export function registerErrorClass(...classes: ErrorClass[]): void {
  for (const each of classes) {
    if (typeof each !== "function" || !(each.prototype instanceof Error)) {
      throw new TypeError(`Cannot register an error class: ${String(each)} extends no Error`);
    }
    known.set(each.name, each);
  }
}

/** Turns what was thrown into data. */
export function carry(thrown: unknown): Carried {
  return carryWithin(thrown, []);
}

/** Turns data into what was thrown. */
export function revive(carried: Carried): unknown {
  return "error" in carried ? reviveError(carried.error) : carried.value;
}

function carryWithin(thrown: unknown, around: readonly unknown[]): Carried {
  if (!(thrown instanceof Error)) return { value: cloneable(thrown) ? thrown : String(thrown) };
  // An error may be its own cause, by way of others.
  if (around.includes(thrown)) return { value: `${thrown}` };
  const inside = [...around, thrown];
  const { errors } = thrown as { errors?: unknown };
  return {
    error: {
      classes: classNames(thrown),
      name: String(thrown.name),
      message: String(thrown.message),
      stack: thrown.stack,
      cause: "cause" in thrown ? carryWithin(thrown.cause, inside) : undefined,
      errors: Array.isArray(errors) ? errors.map((error) => carryWithin(error, inside)) : undefined,
      properties: carryProperties(thrown, inside),
    },
  };
}

const CARRIED_APART = ["name", "message", "stack", "cause", "errors"];

function carryProperties(
  error: Error,
  inside: readonly unknown[],
): Record<string, Carried> | undefined {
  let carried: Record<string, Carried> | undefined;
  for (const [key, value] of Object.entries(error)) {
    if (CARRIED_APART.includes(key)) continue;
    if (value instanceof Error || cloneable(value)) {
      (carried ??= {})[key] = carryWithin(value, inside);
    }
  }
  return carried;
}

function classNames(error: Error): string[] {
  const names: string[] = [];
  let prototype = Object.getPrototypeOf(error);
  while (prototype !== null && prototype !== Object.prototype) {
    if (Object.hasOwn(prototype, "constructor")) names.push(String(prototype.constructor?.name));
    prototype = Object.getPrototypeOf(prototype);
  }
  return names;
}

/** Whether structured clone takes `value`. */
function cloneable(value: unknown): boolean {
  if (value === null || (typeof value !== "object" && typeof value !== "function")) {
    return typeof value !== "symbol";
  }
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}

function reviveError(carried: CarriedError): Error {
  const { name, message, stack, cause, errors, properties } = carried;
  const options = cause === undefined ? undefined : { cause: revive(cause) };
  const error = make(carried, options);
  for (const [key, value] of Object.entries(properties ?? {})) define(error, key, revive(value));
  if (errors !== undefined) define(error, "errors", errors.map(revive), false);
  if (error.name !== name) define(error, "name", name, false);
  if (error.message !== message) define(error, "message", message, false);
  define(error, "stack", stack ?? `${name}: ${message}`, false);
  return error;
}

function make({ classes, name, message }: CarriedError, options?: ErrorOptions): Error {
  if (classes.includes("DOMException")) {
    const exception = new DOMException(message, name);
    if (options !== undefined) define(exception, "cause", options.cause, false);
    return exception;
  }
  const error = new Error(message, options);
  const Class = classes.map(classNamed).find((found) => found !== undefined);
  if (Class !== undefined) Object.setPrototypeOf(error, Class.prototype);
  return error;
}

function classNamed(name: string): ErrorClass | undefined {
  const found = known.get(name) ?? (globalThis as Record<string, unknown>)[name] ??
    (Deno.errors as Record<string, unknown>)[name];
  const isErrorClass = found === Error ||
    (typeof found === "function" && found.prototype instanceof Error);
  return isErrorClass ? found as ErrorClass : undefined;
}

function define(error: Error, key: string, value: unknown, enumerable = true): void {
  Object.defineProperty(error, key, { value, enumerable, configurable: true, writable: true });
}

registerErrorClass(RuntimeError, TimeoutError, TaskExit);
