// What the tests of executors call by its URL and name.
import { registerErrorClass, type Reporter, sleep, transfer } from "../../mod.ts";

/** An error class that both sides know. */
export class PaperJam extends Error {
  static {
    this.prototype.name = "PaperJam";
    registerErrorClass(this);
  }

  constructor(readonly tray: number) {
    super(`Paper jam in tray ${tray}`);
  }
}

export function jam(tray: number): never {
  throw new PaperJam(tray);
}

export function double(n: number): number {
  return 2 * n;
}

export function* countTo(n: number): Iterable<number> {
  for (let i = 1; i <= n; i++) yield i;
}

export async function countSlowlyTo(n: number, progress: Reporter<number>): Promise<number> {
  for (let i = 1; i <= n; i++) {
    progress.send(i);
    await Promise.resolve();
  }
  return n;
}

let made: number[] | null = null;
let calls = 0;

/** For a start-up function: what it leaves for the calls of the same worker. */
export function prepare(...values: number[]): void {
  made = values;
}

export function prepared(): { made: number[] | null; calls: number } {
  return { made, calls: ++calls };
}

/** Needs a loop, of which a thread has none that did not make one. */
export async function sleepALittle(): Promise<string> {
  await sleep(1);
  return "slept";
}

export function movedBuffer(size: number): Uint8Array {
  const bytes = new Uint8Array(size).fill(7);
  return transfer(bytes);
}

export default (text: string) => text.toUpperCase();

export const notAFunction = 1;
