import { ThreadPoolExecutor } from "../mod.ts";

/** A pool of two threads of whichever library, and the trivial function to be called in it. */
export interface Pool {
  call(n: number): Promise<number>;
  end(): Promise<unknown>;
}

/** The pools to compare with, under Deno, each used as its documentation says. */
export const PEERS: Record<string, () => Promise<Pool>> = {
  async piscina() {
    const { Piscina } = await import("npm:piscina@5");
    const filename = new URL("./_increment.js", import.meta.url).href;
    const pool = new Piscina({ filename, minThreads: 2, maxThreads: 2 });
    return { call: (n) => pool.run(n), end: () => pool.destroy() };
  },
  async tinypool() {
    const { default: Tinypool } = await import("npm:tinypool@2");
    const filename = new URL("./_increment.js", import.meta.url).href;
    const pool = new Tinypool({ filename, minThreads: 2, maxThreads: 2 });
    return { call: (n) => pool.run(n), end: () => pool.destroy() };
  },
  async workerpool() {
    const { default: workerpool } = await import("npm:workerpool@9");
    const pool = workerpool.pool({ minWorkers: 2, maxWorkers: 2, workerType: "thread" });
    const increment = (n: number) => n + 1;
    return {
      call: (n) => pool.exec(increment, [n]) as unknown as Promise<number>,
      end: () => pool.terminate() as unknown as Promise<unknown>,
    };
  },
};

/** This library's. */
export function ownPool(): Pool {
  const pool = new ThreadPoolExecutor(2);
  const increment = (n: number) => n + 1;
  return { call: (n) => pool.submit(increment, n).get(), end: () => pool.shutdown() };
}

/** Makes `calls` calls, `inFlight` at a time; whoever gets an answer makes the next. */
export async function callMany(pool: Pool, calls: number, inFlight: number): Promise<void> {
  let begun = 0;
  let sum = 0;
  const caller = async () => {
    while (begun < calls) {
      const n = begun++;
      const answer = await pool.call(n);
      sum += answer - n;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, caller));
  if (sum !== calls) throw new Error(`The pool answered wrongly: ${sum} in place of ${calls}`);
}
