import { assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { PriorityQueue, sleep } from "../../mod.ts";
import { errorOf, runLoop, valueOf, witness } from "../run_loop.ts";

/** What leaves a queue into which `items` were put in this order. */
function sorted<T>(items: readonly T[], compare?: (a: T, b: T) => number): T[] {
  const queue = new PriorityQueue<T>(0, compare && { compare });
  for (const item of items) queue.putNowait(item);
  return items.map(() => queue.getNowait());
}

Deno.test("PriorityQueue gives the lowest number first", () => {
  assertEquals(sorted([3, 10, -1, 2, 0.5, 10, 3]), [-1, 0.5, 2, 3, 3, 10, 10]);
  assertEquals(sorted([Infinity, 1, -Infinity]), [-Infinity, 1, Infinity]);
  assertEquals(sorted([3n, 1n, 2n]), [1n, 2n, 3n]);
});

Deno.test("PriorityQueue orders numbers as numbers, not as text", () => {
  assertEquals(sorted([10, 9, 1, 100]), [1, 9, 10, 100]);
});

Deno.test("PriorityQueue orders strings as Python would, by code point", () => {
  assertEquals(sorted(["b", "a", "B", "", "aa"]), ["", "B", "a", "aa", "b"]);
  // By UTF-16 code unit the second would come first.
  assertEquals(sorted(["\u{1F600}", "\uFF5E"]), ["\uFF5E", "\u{1F600}"]);
});

Deno.test("PriorityQueue orders dates by time", () => {
  const [a, b, c] = [1, 2, 3].map((day) => new Date(2024, 0, day));
  assertEquals(sorted([c, a, b]), [a, b, c]);
});

Deno.test("PriorityQueue orders tuples by their first difference", () => {
  assertEquals(sorted([[2, "a"], [1, "b"], [1, "a"], [10, "a"]]), [
    [1, "a"],
    [1, "b"],
    [2, "a"],
    [10, "a"],
  ]);
  assertEquals(sorted([[1, 2], [1], [], [1, 1, 1]]), [[], [1], [1, 1, 1], [1, 2]]);
  assertEquals(sorted([[1, [2, 3]], [1, [2, 1]]]), [[1, [2, 1]], [1, [2, 3]]]);
});

Deno.test("PriorityQueue compares no further than the first difference", () => {
  const a: [number, unknown] = [2, { task: "a" }], b: [number, unknown] = [1, () => {}];
  assertEquals(sorted([a, b]), [b, a]);
});

Deno.test("PriorityQueue gives equal items in the order of arrival", () => {
  const compare = (a: { p: number }, b: { p: number }) => a.p - b.p;
  const items = [1, 0, 1, 0, 1, 0, 2, 1, 0].map((p, i) => ({ p, i }));
  assertEquals(
    sorted(items, compare).map((item) => item.i),
    [1, 3, 5, 8, 0, 2, 4, 7, 6],
  );
  const same = Array.from({ length: 100 }, (_, i) => ({ p: 0, i }));
  assertEquals(sorted(same, compare), same);
});

Deno.test("PriorityQueue keeps the order of arrival while items leave in between", () => {
  const queue = new PriorityQueue<{ p: number; i: number }>(0, { compare: (a, b) => a.p - b.p });
  for (let i = 0; i < 10; i++) queue.putNowait({ p: i % 2, i });
  const got = [queue.getNowait().i, queue.getNowait().i];
  for (let i = 10; i < 14; i++) queue.putNowait({ p: i % 2, i });
  while (!queue.empty()) got.push(queue.getNowait().i);
  assertEquals(got, [0, 2, 4, 6, 8, 10, 12, 1, 3, 5, 7, 9, 11, 13]);
});

Deno.test("PriorityQueue counts dates, numbers and strings that are the same as equal", () => {
  const first = new Date(5), second = new Date(5);
  const queue = new PriorityQueue<Date>();
  queue.putNowait(first);
  queue.putNowait(second);
  assertEquals([queue.getNowait() === first, queue.getNowait() === second], [true, true]);
});

Deno.test("PriorityQueue refuses with TypeError what it cannot compare, and stays as it was", async () => {
  const wrong: [unknown, unknown][] = [
    [1, "a"],
    [{ a: 1 }, { a: 2 }],
    [Symbol("a"), Symbol("b")],
    [1, new Date(0)],
    [undefined, 1],
    [[1, { a: 1 }], [1, { a: 2 }]],
    [[1], 1],
    [() => {}, () => {}],
  ];
  await runLoop(async () => {
    for (const [a, b] of wrong) {
      const queue = new PriorityQueue<unknown>();
      const put = () => {
        queue.putNowait(a);
        queue.putNowait(b);
      };
      assertThrows(put, TypeError);
      const left = queue.qsize();
      await assertRejects(async () => {
        await queue.put(a);
        await queue.put(b);
      }, TypeError);
      assertEquals(queue.qsize() - left <= 1, true);
      for (let n = queue.qsize(); n > 0; n--) queue.getNowait();
    }
  });
});

Deno.test("PriorityQueue counts an item it refused neither as there nor as unfinished", () =>
  runLoop(async () => {
    const queue = new PriorityQueue<unknown>();
    queue.putNowait(1);
    assertThrows(() => queue.putNowait("a"), TypeError);
    await assertRejects(() => queue.put("a"), TypeError);
    assertEquals(queue.qsize(), 1);
    assertEquals(queue.getNowait(), 1);
    queue.taskDone();
    assertEquals(await queue.join({ timeout: 0 }), true);
  }));

Deno.test("PriorityQueue uses a compare function for everything", () => {
  assertEquals(sorted([1, 3, 2], (a, b) => b - a), [3, 2, 1]);
  assertEquals(sorted(["ccc", "a", "bb"], (a, b) => a.length - b.length), ["a", "bb", "ccc"]);
});

Deno.test("PriorityQueue passes on what its compare function throws, and takes nothing", () => {
  const queue = new PriorityQueue<number>(0, {
    compare: () => {
      throw new RangeError("cannot tell");
    },
  });
  queue.putNowait(1);
  assertThrows(() => queue.putNowait(2), RangeError, "cannot tell");
  assertEquals([queue.qsize(), queue.getNowait()], [1, 1]);
});

Deno.test("PriorityQueue gives the lowest item there is, whoever waited to put one in", () =>
  runLoop(async () => {
    const queue = new PriorityQueue<number>(2);
    queue.putNowait(5);
    queue.putNowait(7);
    const putters = [1, 9].map((item) => witness(() => queue.put(item)));
    await sleep(0);
    // Room is made for 1 first, which is then the lowest.
    const got = [await queue.get(), await queue.get(), await queue.get(), await queue.get()];
    for (const putter of putters) {
      await putter.task.join();
      valueOf(putter);
    }
    assertEquals(got, [5, 1, 7, 9]);
  }));

Deno.test("PriorityQueue stays in order through many items", () => {
  let x = 12345;
  const items = Array.from({ length: 2000 }, () => (x = (x * 1103515245 + 12345) % 2 ** 31) % 500);
  assertEquals(sorted(items), items.toSorted((a, b) => a - b));
});

Deno.test("PriorityQueue gives the room of a waiting put() that it refuses to the next one", () =>
  runLoop(async () => {
    const queue = new PriorityQueue<unknown>(2);
    queue.putNowait(1);
    queue.putNowait(2);
    const refused = witness(() => queue.put("text"));
    const next = witness(() => queue.put(3));
    await sleep(0);
    assertEquals(await queue.get(), 1);
    await refused.task.join();
    assertInstanceOf(errorOf(refused), TypeError);
    await next.task.join();
    valueOf(next);
    assertEquals([await queue.get(), await queue.get()], [2, 3]);
  }));

Deno.test("PriorityQueue compares nothing while there is nothing to compare with", () => {
  const queue = new PriorityQueue<object>();
  const item = { some: "object" };
  queue.putNowait(item);
  assertThrows(() => queue.putNowait({ another: "object" }), TypeError);
  assertEquals([queue.qsize(), queue.getNowait() === item], [1, true]);
});
