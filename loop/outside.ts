import { AsyncLocalStorage } from "node:async_hooks";

/** Runs a function outside every task, whoever calls. */
export const outside: <R, A extends unknown[]>(fn: (...args: A) => R, ...args: A) => R =
  AsyncLocalStorage.snapshot();
