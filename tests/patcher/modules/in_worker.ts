import { EventLoop, importPatched, sleep, spawn } from "../../../mod.ts";

const loop = new EventLoop();
spawn(async () => {
  type Nap = { nap(ms: number): Promise<void> };
  const { nap } = await importPatched<Nap>(new URL("./nap.js", import.meta.url));
  const task = spawn(() => nap(3_600_000));
  await sleep(1);
  task.kill();
  postMessage(await task.join());
});
await loop.run();

declare function postMessage(message: unknown): void;
