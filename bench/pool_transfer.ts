import { ThreadPoolExecutor } from "../mod.ts";
import { compare } from "./_measure.ts";
import { report } from "./_report.ts";

const SIZE = 64 * 2 ** 20;

const same = (bytes: Uint8Array) => bytes;
const moving = new ThreadPoolExecutor(1, { transfer: true });
const copying = new ThreadPoolExecutor(1);
let moved: Uint8Array = new Uint8Array(SIZE);
const copied = new Uint8Array(SIZE);

report({
  operation: "64 MB to a thread and back, moved, to the same copied",
  ...await compare(
    async () => {
      moved = await moving.submit(same, moved).get();
      if (moved.length !== SIZE) throw new Error("The buffer did not come back");
    },
    async () => {
      const back = await copying.submit(same, copied).get();
      if (back.length !== SIZE) throw new Error("The copy did not come back");
    },
    { operations: 1, rounds: 9, warmUp: 2 },
  ).then(({ ours, floor }) => ({ ours: ours / 1000, floor: floor / 1000 })),
  unit: "us",
  bound: { kind: "at most", limit: 0.1 },
});
await Promise.all([moving.shutdown(), copying.shutdown()]);
