import dns from "node:dns";
import dnsPromises from "node:dns/promises";
import events from "node:events";
import fs from "node:fs";
import fsPromises from "node:fs/promises";
import stream from "node:stream";
import streamPromises from "node:stream/promises";
import util from "node:util";
import { AllCooperative } from "../lib/promise.ts";

// deno-lint-ignore no-explicit-any
type AnyFunction = (...args: any[]) => any;
type Functions = Record<string, unknown>;

/** Has whoever awaits a promise of the platform's wait cooperatively. */
function cooperative(value: unknown): unknown {
  if (!(value instanceof Promise) || value.constructor === AllCooperative) return value;
  return new AllCooperative((resolve, reject) => void value.then(resolve, reject));
}

/** A function that gives cooperative promises where it gave the platform's. */
function awaited(value: unknown): unknown {
  if (typeof value !== "function") return value;
  return new Proxy(value as AnyFunction, {
    apply: (target, self, args) => cooperative(Reflect.apply(target, self, args)),
  });
}

/** A module, which may be a class, with other members. */
function moduleWith(module: object, members: Functions): Functions {
  return new Proxy(module as Functions, {
    get: (target, name) =>
      Object.hasOwn(members, name) ? members[name as string] : Reflect.get(target, name),
  });
}

function allAwaited(module: object): Functions {
  return Object.fromEntries(
    Object.entries(module).map(([name, value]) => [name, awaited(value)]),
  );
}

/** Node's `on` of events, whose iterator is waited for cooperatively. */
function iterated(...args: Parameters<typeof events.on>): AsyncIterator<unknown> {
  const iterator = events.on(...args);
  const { next } = iterator;
  const own = () => cooperative(next.call(iterator));
  return Object.defineProperty(iterator, "next", { value: own, configurable: true });
}

const [ofStreams, ofFiles, ofNames] = [streamPromises, fsPromises, dnsPromises].map(allAwaited);

/** Node's modules of promises: a task that awaits those is killed at once, too. */
export const nodePromises: Readonly<Record<string, Functions>> = {
  events: moduleWith(events, { once: awaited(events.once), on: iterated }),
  util: moduleWith(util, {
    promisify: Object.assign(
      (...args: Parameters<typeof util.promisify>) => awaited(util.promisify(...args)),
      { custom: util.promisify.custom },
    ),
  }),
  stream: moduleWith(stream, { promises: ofStreams }),
  "stream/promises": ofStreams,
  fs: moduleWith(fs, { promises: ofFiles }),
  "fs/promises": ofFiles,
  dns: moduleWith(dns, { promises: ofNames }),
  "dns/promises": ofNames,
};
