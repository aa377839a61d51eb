import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { Later } from "../../io/_later.ts";

const oops = new Error("oops");

Deno.test("a Later tells what it was asked for in the step in which it is settled, in order", () => {
  const later = new Later<number>();
  const log: string[] = [];
  for (const name of ["first", "second", "third"]) {
    later.then((value) => void log.push(`${name} ${value}`));
  }
  later.resolve(1);
  assertEquals(log, ["first 1", "second 1", "third 1"]);
  const failing = new Later<number>();
  failing.then(() => {}, (error) => void log.push(String(error)));
  failing.reject(oops);
  assertEquals(log.at(-1), "Error: oops");
});

Deno.test("a Later can be awaited, before it is settled and afterwards", async () => {
  const later = new Later<number>();
  const waiting = (async () => await later)();
  later.resolve(1);
  assertEquals([await waiting, await later], [1, 1]);
  const failing = new Later<number>();
  failing.catch(() => {});
  failing.reject(oops);
  assertStrictEquals(await assertRejects(() => failing), oops);
});

Deno.test("what is done with the result of a Later has a result as with a promise", async () => {
  const later = new Later<number>();
  const results = [
    later.then((value) => value + 1),
    later.then((value) => Promise.resolve(value + 2)),
    later.then(() => {
      throw oops;
    }).catch((error) => String(error)),
    later.then(null).then((value) => value),
    later.finally(() => {}),
  ];
  later.resolve(1);
  assertEquals(await Promise.all(results), [2, 3, "Error: oops", 1, 1]);
});
