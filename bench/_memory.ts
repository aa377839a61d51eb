import { collectAllGarbage } from "./_measure.ts";

/** Bytes of heap that each of `count` takes which `hold` brings into being and leaves there. */
export async function bytesEach(count: number, hold: (count: number) => unknown): Promise<number> {
  const before = await heapInUse();
  await hold(count);
  return (await heapInUse() - before) / count;
}

async function heapInUse(): Promise<number> {
  // What finalizers and weak entries let go of is only free at the next collection.
  for (let i = 0; i < 4; i++) {
    collectAllGarbage();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return Deno.memoryUsage().heapUsed;
}
