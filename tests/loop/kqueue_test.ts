// kqueue itself is on macOS only. Here it is a model of what its manual says, of structs as <sys/event.h> lays them
// out, so that what is asked of it, and what is understood, is tested wherever the tests run.

import { assertEquals } from "@std/assert";
import { Kqueue, type KqueueLibrary } from "../../loop/kqueue.ts";
import { EBADF, HANGUP, READ, WRITE } from "../../loop/poller.ts";

const EVFILT_READ = -1;
const EVFILT_WRITE = -2;
const EVFILT_USER = -10;
const EV_ADD = 0x1;
const EV_DELETE = 0x2;
const EV_ONESHOT = 0x10;
const EV_CLEAR = 0x20;
const EV_EOF = 0x8000;
const NOTE_TRIGGER = 0x01000000;
const SIZE = 32;

/** What is registered: one for each filter of a descriptor. */
interface Note {
  ident: number;
  filter: number;
  flags: number;
  udata: bigint;
  ready: boolean;
  eof: boolean;
}

/** One kqueue, and the descriptors that are open. */
class ModelOfKqueue {
  readonly notes = new Map<string, Note>();
  readonly open = new Set<number>();
  readonly closed: string[] = [];
  readonly #errno = new Int32Array(1);
  #waiting: (() => void) | null = null;
  /** What the last wait was given for a time: seconds and nanoseconds, or `null`. */
  limit: bigint[] | null = null;

  readonly library = {
    symbols: {
      kqueue: () => 77,
      kevent: (...args: Parameters<ModelOfKqueue["kevent"]>) => this.kevent(...args),
      wait: (
        queue: number,
        changes: Uint8Array,
        count: number,
        events: Uint8Array,
        room: number,
        limit: Uint8Array<ArrayBuffer> | null,
      ) => {
        this.limit = limit && [...new BigInt64Array(limit.buffer)];
        const found = this.kevent(queue, changes, count, events, room);
        if (found > 0) return Promise.resolve(found);
        return new Promise((resolve) => {
          this.#waiting = () => {
            const found = this.kevent(queue, changes, 0, events, room);
            if (found === 0) return;
            this.#waiting = null;
            resolve(found);
          };
        });
      },
      close: (fd: number) => (this.closed.push(`descriptor ${fd}`), 0),
      sched_yield: () => 0,
      __error: () => Deno.UnsafePointer.of(this.#errno),
    },
    close: () => void this.closed.push("library"),
  } as unknown as KqueueLibrary;

  note(ident: number, filter: number): Note | undefined {
    return this.notes.get(`${ident}/${filter}`);
  }

  /** Something happens to a descriptor. */
  happen(ident: number, filter: number, { eof = false, ready = true } = {}): void {
    const note = this.note(ident, filter);
    if (note !== undefined) Object.assign(note, { ready, eof });
    this.#waiting?.();
  }

  kevent(
    queue: number,
    changes: Uint8Array,
    count: number,
    events: Uint8Array,
    room: number,
  ): number {
    assertEquals(queue, 77);
    for (let at = 0; at < count * SIZE; at += SIZE) {
      const error = this.#change(new DataView(changes.buffer, changes.byteOffset + at, SIZE));
      if (error === 0) continue;
      this.#errno[0] = error;
      return -1;
    }
    if (count > 0) this.#waiting?.();
    let found = 0;
    for (const [key, note] of this.notes) {
      if (!note.ready || found === room) continue;
      const event = new DataView(events.buffer, events.byteOffset + SIZE * found++, SIZE);
      event.setBigUint64(0, BigInt(note.ident), true);
      event.setInt16(8, note.filter, true);
      event.setUint16(10, note.flags | (note.eof ? EV_EOF : 0), true);
      event.setBigUint64(24, note.udata, true);
      if (note.flags & EV_CLEAR) note.ready = false;
      if (note.flags & EV_ONESHOT) this.notes.delete(key);
    }
    return found;
  }

  #change(change: DataView): number {
    const ident = Number(change.getBigUint64(0, true));
    const filter = change.getInt16(8, true);
    const flags = change.getUint16(10, true);
    const udata = change.getBigUint64(24, true);
    const key = `${ident}/${filter}`;
    if (filter !== EVFILT_USER && !this.open.has(ident)) return EBADF;
    if (flags & EV_DELETE) return this.notes.delete(key) ? 0 : 2;
    const known = this.notes.get(key);
    if (flags & EV_ADD) {
      const note = { ident, filter, flags: flags & ~EV_ADD, udata, ready: false, eof: false };
      this.notes.set(key, { ...note, ready: known?.ready ?? false });
    } else if (known === undefined) {
      return 2;
    }
    const triggered = filter === EVFILT_USER && (change.getUint32(12, true) & NOTE_TRIGGER) !== 0;
    if (triggered) this.notes.get(key)!.ready = true;
    return 0;
  }
}

function setUp(...open: number[]): { model: ModelOfKqueue; poller: Kqueue; poll: () => string[] } {
  const model = new ModelOfKqueue();
  for (const fd of open) model.open.add(fd);
  const poller = new Kqueue(model.library);
  const poll = () => {
    const found: string[] = [];
    poller.poll((fd, ready) => {
      const bits = [[READ, "read"], [WRITE, "write"], [HANGUP, "hangup"]] as const;
      found.push(`${fd} ${bits.filter(([bit]) => ready & bit).map(([, name]) => name).join("+")}`);
    });
    return found;
  };
  return { model, poller, poll };
}

Deno.test("kqueue: a program's descriptor is found as long as it is ready, for what it is watched", () => {
  const { model, poller, poll } = setUp(5);
  assertEquals(poller.change(5, READ | WRITE, 0), 0);
  assertEquals(poll(), []);
  model.happen(5, EVFILT_READ);
  assertEquals([poll(), poll()], [["5 read"], ["5 read"]]);
  model.happen(5, EVFILT_WRITE);
  assertEquals(poll(), ["5 read", "5 write"]);
  assertEquals(poller.change(5, WRITE, READ | WRITE), 0);
  assertEquals(poll(), ["5 write"]);
  assertEquals(poller.change(5, 0, WRITE), 0);
  assertEquals(poll(), []);
});

Deno.test("kqueue: to watch what is not open is an error, to take it out is none", () => {
  const { model, poller } = setUp(5);
  assertEquals(poller.change(6, READ, 0), EBADF);
  assertEquals(poller.follow(6), EBADF);
  poller.change(5, READ, 0);
  model.open.delete(5);
  assertEquals(poller.change(5, READ, READ), EBADF);
  assertEquals(poller.change(5, 0, READ), 0);
});

Deno.test("kqueue: a socket that is followed is found once for what arrives, and once for its end", () => {
  const { model, poller, poll } = setUp(5);
  assertEquals(poller.follow(5), 0);
  model.happen(5, EVFILT_READ);
  assertEquals([poll(), poll()], [["5 read"], []]);
  model.happen(5, EVFILT_READ, { eof: true });
  assertEquals([poll(), poll()], [["5 read+hangup"], []]);
  poller.unfollow(5);
  assertEquals(model.note(5, EVFILT_READ), undefined);
});

Deno.test("kqueue: a socket that is followed is found to have room only if that is expected, and once", () => {
  const { model, poller, poll } = setUp(5);
  poller.follow(5);
  model.happen(5, EVFILT_WRITE);
  assertEquals(poll(), []);
  assertEquals(poller.expectRoom(5), 0);
  model.happen(5, EVFILT_WRITE);
  assertEquals([poll(), poll()], [["5 write"], []]);
});

Deno.test("kqueue: what the helper thread has taken out is found afterwards, and nothing twice", async () => {
  const { model, poller, poll } = setUp(5, 6);
  poller.follow(5);
  poller.change(6, READ, 0);
  const waiting = poller.wait(-1);
  assertEquals(model.limit, null);
  model.happen(5, EVFILT_READ);
  await waiting;
  model.happen(6, EVFILT_READ);
  assertEquals([poll(), poll()], [["5 read", "6 read"], ["6 read"]]);
  model.happen(6, EVFILT_READ, { ready: false });
  const again = poller.wait(1_234);
  assertEquals(model.limit, [1n, 234_000_000n]);
  model.happen(6, EVFILT_READ);
  await again;
  // A program's own has been read meanwhile: it is asked for anew.
  model.happen(6, EVFILT_READ, { ready: false });
  assertEquals(poll(), []);
});

Deno.test("kqueue: the helper thread that is called back returns, and nothing is found", async () => {
  const { model, poller, poll } = setUp(5);
  poller.follow(5);
  const waiting = poller.wait(-1);
  poller.recall();
  await waiting;
  assertEquals(poll(), []);
  poller.close();
  assertEquals(model.closed, ["descriptor 77", "library"]);
});
