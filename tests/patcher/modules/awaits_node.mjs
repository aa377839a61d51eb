import EventEmitter, { on, once } from "node:events";
import fs from "node:fs";
import { readFile } from "node:fs/promises";
import { finished } from "node:stream/promises";
import { PassThrough } from "node:stream";
import util from "node:util";

export const emitter = new EventEmitter();
class Own extends EventEmitter {}
export const isEmitter = new Own() instanceof EventEmitter && emitter instanceof EventEmitter;

export const byOnce = () => once(emitter, "never");
export const byStaticOnce = () => EventEmitter.once(emitter, "never");
export const byOn = async () => {
  for await (const _ of on(emitter, "never"));
};
export const byFinished = () => finished(new PassThrough());
export const byPromisify = () => util.promisify((_callback) => {})();

export const values = async (path) => {
  setTimeout(() => emitter.emit("now", 1, 2), 1);
  const sum = util.promisify((a, b, callback) => callback(null, a + b));
  return [
    await once(emitter, "now"),
    (await readFile(path, "utf8")).length === (await fs.promises.readFile(path)).length,
    await sum(1, 2),
    typeof util.promisify.custom,
    util.inspect([1]),
  ];
};
export const failure = () => readFile("/nowhere/at/all");
