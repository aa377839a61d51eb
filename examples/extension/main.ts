/**
 * Uses an extension, which the import map in deno.json beside this file calls "evergreen-every". Start it by
 *
 * ```sh
 * deno run --config examples/extension/deno.json --allow-read examples/extension/main.ts
 * ```
 */
import { importExtension, sleep } from "@evergreen/evergreen";

const { every } = await importExtension<typeof import("./evergreen_every/mod.ts")>("every");

let ticks = 0;
const ticker = every(20, () => console.log(`tick ${++ticks}`));
while (ticks < 3) await sleep(5);
ticker.kill();
await ticker.join();
