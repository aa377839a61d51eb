import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  CancelledError,
  Event,
  type Future,
  RuntimeError,
  sleep,
  spawn,
  Task,
  TaskExit,
  TaskGroup,
  Timeout,
  TimeoutError,
} from "../../mod.ts";
import { killAtEveryStep } from "../kill_at_every_step.ts";
import { dropLoop, errorOf, outcomeOf, runLoop, valueOf, witness } from "../run_loop.ts";

class Failure extends Error {}

Deno.test("TaskGroup.run() returns what its body does, after every child has ended", () =>
  runLoop(async (loop) => {
    const start = loop.time();
    const log: string[] = [];
    const value = await TaskGroup.run((group) => {
      for (const delay of [20, 10]) {
        group.spawn(async (n: number) => {
          await sleep(n);
          log.push(`child ${n}`);
        }, delay);
      }
      log.push("body");
      return "value";
    });
    assertEquals([value, log], ["value", ["body", "child 10", "child 20"]]);
    assertEquals(loop.time() - start, 20);
  }));

Deno.test("TaskGroup.run() without children returns at once", () =>
  runLoop(async () => {
    assertEquals(await TaskGroup.run(() => 1), 1);
    assertEquals(await TaskGroup.run(() => sleep(1).then(() => 2)), 2);
  }));

Deno.test("TaskGroup's children may have children in the group, after its body has ended", () =>
  runLoop(async () => {
    const log: number[] = [];
    await TaskGroup.run((group) => {
      const grow = async (n: number) => {
        await sleep(1);
        log.push(n);
        if (n < 5) group.spawn(grow, n + 1);
      };
      group.spawn(grow, 0);
    });
    assertEquals(log, [0, 1, 2, 3, 4, 5]);
  }));

Deno.test("TaskGroup kills the rest and throws the error when a child fails", () =>
  runLoop(async (loop) => {
    const start = loop.time();
    const failure = new Failure("of a child");
    const log: string[] = [];
    const tidy = async (name: string, delay: number) => {
      try {
        await sleep(delay);
        log.push(`${name} went on`);
      } finally {
        await sleep(5);
        log.push(`${name} tidied up`);
      }
    };
    const outcome = await outcomeOf(() =>
      TaskGroup.run(async (group) => {
        group.spawn(tidy, "sibling", 1e6);
        group.spawn(async () => {
          await sleep(10);
          throw failure;
        });
        await tidy("body", 1e6);
      })
    );
    assertStrictEquals("error" in outcome && outcome.error, failure);
    assertEquals(log.toSorted(), ["body tidied up", "sibling tidied up"]);
    assertEquals(loop.time() - start, 15);
  }));

Deno.test("TaskGroup kills its children and throws the error when its body fails", () =>
  runLoop(async () => {
    const failure = new Failure("of the body");
    let child: Task | undefined;
    const outcome = await outcomeOf(() =>
      TaskGroup.run(async (group) => {
        child = group.spawn(() => sleep(1e6));
        await sleep(1);
        throw failure;
      })
    );
    assertStrictEquals("error" in outcome && outcome.error, failure);
    assertEquals(child?.isAlive(), false);
    const sync = await outcomeOf(() =>
      TaskGroup.run(() => {
        throw failure;
      })
    );
    assertStrictEquals("error" in sync && sync.error, failure);
  }));

Deno.test("TaskGroup throws an AggregateError where several fail", () =>
  runLoop(async () => {
    const first = new Failure("first"), second = new Failure("second");
    const error = await assertRejects(() =>
      TaskGroup.run((group) => {
        group.spawn(async () => {
          await sleep(10);
          throw first;
        });
        group.spawn(async () => {
          try {
            await sleep(1e6);
          } finally {
            // deno-lint-ignore no-unsafe-finally
            throw second;
          }
        });
      })
    );
    assertInstanceOf(error, AggregateError);
    assertEquals(error.errors.length, 2);
    assertStrictEquals(error.errors[0], first);
    assertStrictEquals(error.errors[1], second);
  }));

Deno.test("TaskGroup does not take a TaskExit for a failure", () =>
  runLoop(async () => {
    const log: string[] = [];
    const value = await TaskGroup.run(async (group) => {
      const victim = group.spawn(() => sleep(1e6));
      group.spawn(() => {
        throw new TaskExit();
      });
      group.spawn(async () => {
        await sleep(10);
        log.push("went on");
      });
      await sleep(1);
      victim.kill();
      return "value";
    });
    assertEquals([value, log], ["value", ["went on"]]);
  }));

Deno.test("TaskGroup.kill() ends its children, and not its body", () =>
  runLoop(async () => {
    let children: Task[] = [];
    const value = await TaskGroup.run(async (group) => {
      children = [1, 2].map(() => group.spawn(() => sleep(1e6)));
      const unborn = group.spawn(() => assert(false, "ran"));
      group.kill();
      children.push(unborn);
      await sleep(1);
      return "value";
    });
    assertEquals([value, children.some((child) => child.isAlive())], ["value", false]);
  }));

Deno.test("killing the task that runs a group kills the children first", () =>
  runLoop(async () => {
    const log: string[] = [];
    const victim = witness(() =>
      TaskGroup.run(async (group) => {
        group.spawn(async () => {
          try {
            await sleep(1e6);
          } finally {
            await sleep(10);
            log.push("child");
          }
        });
        try {
          await sleep(1e6);
        } finally {
          log.push("body");
        }
      }).finally(() => log.push("group"))
    );
    await sleep(1);
    victim.task.kill();
    await victim.task.join();
    assertInstanceOf(errorOf(victim), TaskExit);
    assertEquals([log.toSorted(), log.at(-1)], [["body", "child", "group"], "group"]);
  }));

Deno.test("killing the task while it waits for the children of a group kills them", () =>
  runLoop(async () => {
    let child: Task | undefined;
    const victim = witness(() =>
      TaskGroup.run((group) => {
        child = group.spawn(() => sleep(1e6));
      })
    );
    await sleep(1);
    victim.task.kill();
    await victim.task.join();
    assertInstanceOf(errorOf(victim), TaskExit);
    assertEquals(child?.isAlive(), false);
  }));

Deno.test("TaskGroup.run() kills its children when its time has passed", () =>
  runLoop(async (loop) => {
    const start = loop.time();
    let child: Task | undefined;
    await assertRejects(() =>
      TaskGroup.run(async (group) => {
        child = group.spawn(() => sleep(1e6));
        await sleep(1e6);
      }, { timeout: 10 }), TimeoutError);
    assertEquals([child?.isAlive(), loop.time() - start], [false, 10]);
    await assertRejects(
      () => TaskGroup.run((group) => void group.spawn(() => sleep(1e6)), { timeout: 10 }),
      TimeoutError,
    );
    assertEquals(await TaskGroup.run(() => sleep(5).then(() => 1), { timeout: 10 }), 1);
    await sleep(100);
  }));

Deno.test("TaskGroup.run() refuses a wrong timeout, and calls nothing", () =>
  runLoop(async () => {
    let called = false;
    const body = () => void (called = true);
    for (const timeout of [-1, NaN]) {
      await assertRejects(() => TaskGroup.run(body, { timeout }), RangeError);
    }
    const text = "5" as unknown as number;
    await assertRejects(() => TaskGroup.run(body, { timeout: text }), TypeError);
    assertEquals(called, false);
  }));

Deno.test("TaskGroup.run() kills its children when its signal is aborted", () =>
  runLoop(async (loop) => {
    const controller = new AbortController();
    let child: Task | undefined;
    loop.callLater(5, () => controller.abort(new Failure("enough")));
    await assertRejects(() =>
      TaskGroup.run((group) => {
        child = group.spawn(() => sleep(1e6));
      }, { signal: controller.signal }), Failure);
    assertEquals(child?.isAlive(), false);
    let called = false;
    const signal = AbortSignal.abort(new Failure("already"));
    await assertRejects(() => TaskGroup.run(() => void (called = true), { signal }), Failure);
    assertEquals(called, false);
  }));

Deno.test("a Timeout around a group ends it with its children", () =>
  runLoop(async () => {
    let child: Task | undefined;
    const timeout = new Timeout(10);
    const error = await assertRejects(() =>
      timeout.run(() =>
        TaskGroup.run((group) => {
          child = group.spawn(() => sleep(1e6));
        })
      )
    );
    assertStrictEquals(error, timeout);
    assertEquals(child?.isAlive(), false);
  }));

Deno.test("TaskGroup.spawn() after the end is a RuntimeError", () =>
  runLoop(async () => {
    let group!: TaskGroup;
    await TaskGroup.run((given) => void (group = given));
    assertThrows(() => group.spawn(() => {}), RuntimeError);
    assertThrows(() => group.submit(() => {}), RuntimeError);
    group.kill();
    assertEquals(await group.join(), true);
  }));

Deno.test("TaskGroup.submit() gives a future of what a child returns", () =>
  runLoop(async () => {
    const values = await TaskGroup.run(async (group) => {
      const futures = [
        group.submit((a: number, b: number) => sleep(a).then(() => a + b), 1, 2),
        group.submit(() => "not async"),
      ];
      return [await futures[0].get(), await futures[1].get()];
    });
    assertEquals(values, [3, "not async"]);
  }));

Deno.test("TaskGroup.submit() of a child that fails fails the future and the group", () =>
  runLoop(async () => {
    const failure = new Failure("of a child");
    let failed: Future<never> | undefined, killed: Future<void> | undefined;
    const outcome = await outcomeOf(() =>
      TaskGroup.run((group) => {
        killed = group.submit(() => sleep(1e6));
        failed = group.submit(async () => {
          await sleep(1);
          throw failure;
        });
      })
    );
    assertStrictEquals("error" in outcome && outcome.error, failure);
    const own = await outcomeOf(() => failed!.get());
    assertStrictEquals("error" in own && own.error, failure);
    await assertRejects(() => killed!.get(), CancelledError);
    assertEquals([failed!.done, killed!.cancelled, failed!.cancelled], [true, true, false]);
  }));

Deno.test("TaskGroup cancels the futures of children that were killed, begun or not", () =>
  runLoop(async () => {
    const futures: Future<void>[] = [];
    await TaskGroup.run(async (group) => {
      futures.push(group.submit(() => sleep(1e6)));
      await sleep(1);
      futures.push(group.submit(() => sleep(1e6)));
      group.kill();
    });
    assertEquals(futures.map((future) => future.cancelled), [true, true]);
  }));

Deno.test("TaskGroup declared with await using ends with its block, after its children", () =>
  runLoop(async () => {
    const log: string[] = [];
    {
      await using group = new TaskGroup();
      group.spawn(async () => {
        await sleep(10);
        log.push("child");
      });
      log.push("block");
    }
    assertEquals(log, ["block", "child"]);
  }));

Deno.test("TaskGroup declared with await using throws a child's error at the end of its block", () =>
  runLoop(async () => {
    const failure = new Failure("of a child");
    let sibling: Task | undefined;
    const outcome = await outcomeOf(async () => {
      await using group = new TaskGroup();
      sibling = group.spawn(() => sleep(1e6));
      group.spawn(async () => {
        await sleep(10);
        throw failure;
      });
    });
    assertStrictEquals("error" in outcome && outcome.error, failure);
    assertEquals(sibling?.isAlive(), false);
  }));

Deno.test("TaskGroup.join() gives false when its time has passed, and kills nobody", () =>
  runLoop(async () => {
    await using group = new TaskGroup();
    const child = group.spawn(() => sleep(20));
    assertEquals([await group.join({ timeout: 10 }), child.isAlive()], [false, true]);
    assertEquals([await group.join(), child.isAlive()], [true, false]);
    group.spawn(() => sleep(1));
    assertEquals(await group.join(), true);
  }));

Deno.test("groups nest: the failure of an inner one is that of a child of the outer", () =>
  runLoop(async () => {
    const failure = new Failure("deep");
    const log: string[] = [];
    const outcome = await outcomeOf(() =>
      TaskGroup.run(async (outer) => {
        outer.spawn(() =>
          TaskGroup.run((inner) => {
            inner.spawn(() => sleep(1e6).finally(() => log.push("inner sibling")));
            inner.spawn(async () => {
              await sleep(1);
              throw failure;
            });
          })
        );
        await sleep(1e6).finally(() => log.push("outer body"));
      })
    );
    assertStrictEquals("error" in outcome && outcome.error, failure);
    assertEquals(log, ["inner sibling", "outer body"]);
  }));

Deno.test("a group whose body swallows the kill still throws the failure", () =>
  runLoop(async () => {
    const failure = new Failure("of a child");
    const outcome = await outcomeOf(() =>
      TaskGroup.run(async (group) => {
        group.spawn(async () => {
          await sleep(1);
          throw failure;
        });
        await outcomeOf(() => sleep(1e6));
        return "as if nothing had happened";
      })
    );
    assertStrictEquals("error" in outcome && outcome.error, failure);
  }));

Deno.test("after a group that failed its task is not killed once more", () =>
  runLoop(async () => {
    await outcomeOf(() =>
      TaskGroup.run((group) => {
        group.spawn(() => {
          throw new Failure("at once");
        });
      })
    );
    await outcomeOf(() =>
      TaskGroup.run(async (group) => {
        group.spawn(() => {
          throw new Failure("while the body waits");
        });
        await sleep(5);
      })
    );
    await sleep(10);
  }));

Deno.test("TaskGroup works outside every task", async () => {
  dropLoop();
  try {
    const log: string[] = [];
    const value = await TaskGroup.run(async (group) => {
      group.spawn(() => sleep(2).then(() => log.push("child")));
      await sleep(1);
      return "value";
    });
    assertEquals([value, log], ["value", ["child"]]);
    await assertRejects(() =>
      TaskGroup.run(async (group) => {
        group.spawn(() => Promise.reject(new Failure("of a child")));
        await sleep(1e6);
      }), Failure);
    await sleep(1);
  } finally {
    dropLoop();
  }
});

killAtEveryStep("no child outlives its group", {
  make: () => ({ children: [] as Task[], late: false, end: new Event() }),
  async victim(state, wait, step) {
    try {
      await TaskGroup.run(async (group) => {
        for (let i = 0; i < 3; i++) {
          state.children.push(group.spawn(async () => {
            try {
              await step();
              await step();
            } finally {
              await step();
            }
          }));
          await step();
        }
      }, wait);
    } finally {
      state.late = state.children.some((child) => child.isAlive());
    }
  },
  others: [],
  check(state) {
    assertEquals(state.late, false);
  },
});

Deno.test("the children of a group have the task that spawns them as parent", () =>
  runLoop(async () => {
    const seen = witness(() => TaskGroup.run((group) => group.spawn(() => sleep(1))));
    await seen.task.join();
    assert(valueOf(seen) instanceof Task);
    await spawn(() => {}).join();
  }));
