import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  Event,
  type EventLoop,
  type ExceptionContext,
  type PollSource,
  RuntimeError,
  sleep,
  TcpServer,
  type Watch,
  watching,
} from "../../mod.ts";
import { runLoop, withLoop } from "../run_loop.ts";
import { RawSystem } from "../raw_descriptors.ts";

/** Runs `body` as a task on a loop with the real clock, with the means to make descriptors. */
async function run(
  body: (loop: EventLoop, system: RawSystem) => unknown,
  reports?: ExceptionContext[],
): Promise<void> {
  using system = new RawSystem();
  await runLoop(async (loop) => void await body(loop, system), { clock: undefined, reports });
}

Deno.test("a reader is called with its arguments when its descriptor can be read", () =>
  run(async (loop, system) => {
    const [out, into] = system.pipe();
    const called = new Event();
    const log: unknown[] = [];
    loop.addReader(
      out,
      (...args: unknown[]) => {
        log.push(args, system.read(out));
        called.set();
      },
      1,
      "two",
    );
    await sleep(5);
    assertEquals(log, []);
    system.write(into, "hello");
    await called.wait();
    assertEquals(log, [[1, "two"], "hello"]);
    assert(loop.removeReader(out));
  }));

Deno.test("a reader is called again while something is left to read", () =>
  run(async (loop, system) => {
    const [out, into] = system.pipe();
    const done = new Event();
    let text = "";
    loop.addReader(out, () => {
      text += system.read(out, 1);
      if (text.length === 5) done.set();
    });
    system.write(into, "hello");
    await done.wait();
    assertEquals(text, "hello");
    loop.removeReader(out);
  }));

Deno.test("a reader is called at the end of its input", () =>
  run(async (loop, system) => {
    const [out, into] = system.pipe();
    const ended = new Event();
    loop.addReader(out, () => {
      if (system.read(out) === "") ended.set();
    });
    await sleep(2);
    system.close(into);
    await ended.wait();
    loop.removeReader(out);
  }));

Deno.test("a writer is called while its descriptor can be written, and when it can be again", () =>
  run(async (loop, system) => {
    const [out, into] = system.pipe();
    const called = new Event();
    loop.addWriter(into, () => called.set());
    await called.wait();
    loop.removeWriter(into);
    while (system.write(into, new Uint8Array(65536)) > 0);
    called.clear();
    loop.addWriter(into, () => called.set());
    assertEquals(await called.wait({ timeout: 5 }), false);
    while (system.read(out, 65536) !== null);
    await called.wait();
    loop.removeWriter(into);
  }));

Deno.test("a descriptor has a reader and a writer at the same time", () =>
  run(async (loop, system) => {
    const [here, there] = system.socketPair();
    const read = new Event();
    const written = new Event();
    loop.addReader(here, () => {
      system.read(here);
      read.set();
    });
    loop.addWriter(here, () => {
      loop.removeWriter(here);
      written.set();
    });
    await written.wait();
    assertEquals(read.isSet(), false);
    system.write(there, "x");
    await read.wait();
    loop.removeReader(here);
  }));

Deno.test("a second reader of one source is a RuntimeError; another one after the first is not", () =>
  run((loop, system) => {
    const [out] = system.pipe();
    const handler = loop.addReader(out, () => {});
    assertThrows(
      () => loop.addReader(out, () => {}),
      RuntimeError,
      `Cannot add a reader: descriptor ${out} has one already`,
    );
    handler.cancel();
    assertEquals(loop.removeReader(out), false);
    {
      using _ = loop.addReader(out, () => {});
    }
    assertEquals(loop.removeReader(out), false);
  }));

Deno.test("removeReader() from within the reader ends it", () =>
  run(async (loop, system) => {
    const [out, into] = system.pipe();
    let calls = 0;
    loop.addReader(out, () => {
      calls++;
      assertEquals(loop.removeReader(out), true);
    });
    system.write(into, "x");
    await sleep(5);
    assertEquals(calls, 1);
  }));

Deno.test("a cancelled reader that was due already is not called", () =>
  run(async (loop, system) => {
    const [a, intoA] = system.pipe();
    const [b, intoB] = system.pipe();
    const log: string[] = [];
    const readers = [
      loop.addReader(a, () => (log.push("a"), readers.forEach((reader) => reader.cancel()))),
      loop.addReader(b, () => (log.push("b"), readers.forEach((reader) => reader.cancel()))),
    ];
    system.write(intoA, "x");
    system.write(intoB, "x");
    await sleep(5);
    assertEquals(log.length, 1);
  }));

Deno.test("an error in a reader is reported, and the reader stays", async () => {
  const reports: ExceptionContext[] = [];
  const error = new Error("oops");
  await run(async (loop, system) => {
    const [out, into] = system.pipe();
    const twice = new Event();
    const handler = loop.addReader(out, () => {
      system.read(out, 1);
      if (reports.length === 1) twice.set();
      throw error;
    });
    system.write(into, "ab");
    await twice.wait();
    await sleep(0);
    handler.cancel();
    assertStrictEquals(reports[0].handler, handler);
  }, reports);
  assertEquals(reports.map((report) => report.error), [error, error]);
});

Deno.test("a reader keeps run() going until it is removed", () =>
  withLoop(async (loop) => {
    using system = new RawSystem();
    const [out, into] = system.pipe();
    const log: (string | null)[] = [];
    loop.addReader(out, () => {
      log.push(system.read(out));
      loop.removeReader(out);
    });
    // By the platform's timer, of which the loop knows nothing.
    setTimeout(() => system.write(into, "late"), 5);
    await loop.run();
    assertEquals(log, ["late"]);
  }, { clock: undefined }));

Deno.test("a task that waits for a reader is not deadlocked", () =>
  run(async (loop, system) => {
    const [out, into] = system.pipe();
    const event = new Event();
    loop.addReader(out, () => {
      loop.removeReader(out);
      event.set();
    });
    setTimeout(() => system.write(into, "x"), 5);
    await event.wait();
  }));

Deno.test("readers that were added before the loop runs are called when it does", () =>
  withLoop(async (loop) => {
    using system = new RawSystem();
    const [out, into] = system.pipe();
    let calls = 0;
    loop.addReader(out, () => {
      calls++;
      loop.removeReader(out);
    });
    system.write(into, "x");
    await new Promise((resolve) => setTimeout(resolve, 5));
    assertEquals(calls, 0);
    await loop.run();
    assertEquals(calls, 1);
  }, { clock: undefined }));

Deno.test("two thousand descriptors are watched at once", () =>
  run(async (loop, system) => {
    const pipes = Array.from({ length: 1000 }, () => system.socketPair());
    let left = 2 * pipes.length;
    const done = new Event();
    for (const ends of pipes) {
      for (const end of ends) {
        loop.addReader(end, () => {
          assertEquals(system.read(end), `to ${end}`);
          loop.removeReader(end);
          if (--left === 0) done.set();
        });
      }
    }
    await sleep(2);
    for (const [a, b] of pipes) {
      system.write(a, `to ${b}`);
      system.write(b, `to ${a}`);
    }
    await done.wait();
  }));

Deno.test("a descriptor that is closed under its reader is an error for that handler only", async () => {
  const reports: ExceptionContext[] = [];
  await run(async (loop, system) => {
    const [closed] = system.pipe();
    const [out, into] = system.pipe();
    const handler = loop.addReader(closed, () => {});
    let calls = 0;
    loop.addReader(out, () => {
      system.read(out);
      calls++;
    });
    system.close(closed);
    while (reports.length === 0) await sleep(20);
    assertStrictEquals(reports[0].handler, handler);
    assertEquals(handler.cancelled, true);
    assertInstanceOf(reports[0].error, Deno.errors.BadResource);
    assertEquals(loop.removeReader(closed), false);
    system.write(into, "x");
    while (calls === 0) await sleep(1);
    loop.removeReader(out);
  }, reports);
  assertEquals(reports.length, 1);
});

Deno.test("a descriptor that was closed while a duplicate lives does not disturb the loop", async () => {
  const reports: ExceptionContext[] = [];
  await run(async (loop, system) => {
    const [closed, intoClosed] = system.pipe();
    const [out, into] = system.pipe();
    system.duplicate(closed);
    loop.addReader(closed, () => {});
    let calls = 0;
    loop.addReader(out, () => {
      system.read(out);
      calls++;
    });
    await sleep(2);
    system.close(closed);
    loop.removeReader(closed);
    system.write(intoClosed, "x"); // The system still says that the number of old can be read.
    await sleep(5);
    system.write(into, "x");
    while (calls === 0) await sleep(1);
    loop.removeReader(out);
  }, reports);
  assertEquals(reports, []);
});

Deno.test("a descriptor's watch ends with its error though it was closed while the loop slept", async () => {
  const reports: ExceptionContext[] = [];
  await run(async (loop, system) => {
    const [closed] = system.pipe();
    const noticed = new Event();
    loop.setExceptionHandler((context) => {
      reports.push(context);
      noticed.set();
    });
    loop.addReader(closed, () => {});
    await sleep(5);
    system.close(closed);
    // Nothing else happens, so nothing but the loop itself can find out.
    await noticed.wait();
  });
  assertInstanceOf(reports[0].error, Deno.errors.BadResource);
});

Deno.test("the thread that waits for descriptors has left when the last reader is removed", async () => {
  // Neither run() nor anything else is awaited afterwards: the sanitizers look at once.
  for (let round = 0; round < 30; round++) {
    await withLoop(async (loop) => {
      using system = new RawSystem();
      const [out] = system.pipe();
      loop.addReader(out, () => {});
      await sleep(2);
      loop.removeReader(out);
    }, { clock: undefined });
  }
});

class IdleServer extends TcpServer {
  override handleConnection(): void {}
}

Deno.test("the library's own sockets are no descriptors of the program's", async () => {
  await withLoop((loop) => {
    using system = new RawSystem();
    const [number] = system.pipe();
    system.close(number);
    // It is given the lowest number that is free.
    using server = new IdleServer();
    server.bind({ hostname: "127.0.0.1", port: 0 });
    assertThrows(
      () => loop.addReader(number, () => {}),
      Deno.errors.Busy,
      `Cannot watch descriptor ${number}: it is a socket of this library's`,
    );
  }, { clock: undefined, reactor: "fd" });
});

Deno.test("a number that was closed and given out again is watched anew", async () => {
  const reports: ExceptionContext[] = [];
  await run(async (loop, system) => {
    const [old] = system.pipe();
    const first = loop.addWriter(old, () => {});
    system.close(old);
    const [fresh, into] = system.pipe();
    assertEquals(fresh, old);
    const read = new Event();
    loop.addReader(fresh, () => {
      loop.removeReader(fresh);
      read.set();
    });
    system.write(into, "x");
    await read.wait();
    assertEquals(first.cancelled, true);
    assertInstanceOf(reports[0].error, Deno.errors.BadResource);
  }, reports);
});

Deno.test("addReader() refuses what cannot be watched", () =>
  run((loop) => {
    const out = 99_999;
    const error = assertThrows(() => loop.addReader(out, () => {}), Deno.errors.BadResource);
    assertStringIncludes(error.message, `Cannot watch descriptor ${out}: it is not open`);
    for (const number of [-1, 0.5, NaN, Infinity, 2 ** 31]) {
      assertThrows(() => loop.addReader(number, () => {}), RangeError, `not ${number}`);
    }
    for (const thing of ["0", null, undefined, {}, () => {}]) {
      assertThrows(() => loop.addReader(thing as never, () => {}), TypeError, "Cannot watch");
    }
    assertThrows(() => loop.addReader(0, "x" as never), TypeError, "a function is needed");
    assertEquals(loop.removeReader(out), false);
    assertEquals(loop.removeWriter("0" as never), false);
  }));

Deno.test("destroy() forgets the readers, and holds nothing", () =>
  withLoop(async (loop) => {
    using system = new RawSystem();
    const [out] = system.pipe();
    loop.callLater(2, () => loop.stop());
    loop.addReader(out, () => {});
    await loop.runForever();
    loop.destroy();
    assertThrows(() => loop.addReader(out, () => {}), RuntimeError, "destroyed");
    await new Promise((resolve) => setTimeout(resolve, 2));
  }, { clock: undefined }));

/** A source of a program's own. */
class Bell implements PollSource {
  #watches = new Map<Watch, () => void>();
  ringing = false;

  ring(): void {
    this.ringing = true;
    for (const notify of [...this.#watches.values()]) notify();
  }

  [watching](_: string, notify: () => void): Watch {
    const watches = this.#watches;
    const watch: Watch = {
      arm: () => {
        if (this.ringing) return notify();
        watches.set(watch, () => (watches.delete(watch), notify()));
      },
      close: () => void watches.delete(watch),
    };
    return watch;
  }
}

Deno.test("a source of the program's own is watched as a descriptor is", () =>
  run(async (loop) => {
    const bell = new Bell();
    let calls = 0;
    loop.addReader(bell, () => {
      if (++calls === 2) bell.ringing = false;
    });
    assertThrows(() => loop.addReader(bell, () => {}), RuntimeError, "an object of class Bell");
    await sleep(1);
    assertEquals(calls, 0);
    bell.ring();
    await sleep(2);
    assertEquals(calls, 2);
    bell.ring();
    await sleep(2);
    assert(calls > 2);
    assert(loop.removeReader(bell));
  }));

Deno.test("a raw descriptor without --allow-ffi is a clear error", async () => {
  const program = `
    import { EventLoop } from "${new URL("../../mod.ts", import.meta.url)}";
    try {
      new EventLoop().addReader(0, () => {});
    } catch (error) {
      console.log(error instanceof Deno.errors.NotCapable, error.message);
    }
  `;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", `data:application/typescript,${encodeURIComponent(program)}`],
  }).output();
  assertEquals(
    new TextDecoder().decode(stdout),
    "true Cannot watch descriptor 0: raw descriptors need --allow-ffi\n",
  );
});
