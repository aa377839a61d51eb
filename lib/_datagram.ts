import { type PollSource, watching } from "../loop/poll_source.ts";
import { checkpoint } from "../loop/wait.ts";
import { shown } from "./_conn.ts";
import { waitOutside } from "./outside_wait.ts";
import { Pump } from "./_pump.ts";

/** What `Deno.listenDatagram` gives, where it exists. */
export interface PlatformDatagramConn extends AsyncIterable<[Uint8Array, Deno.Addr]> {
  readonly addr: Deno.Addr;
  receive(into?: Uint8Array): Promise<[Uint8Array, Deno.Addr]>;
  send(data: Uint8Array, address: Deno.Addr): Promise<number>;
  close(): void;
}

/**
 * Makes a datagram socket of the platform's cooperative. It has all that the platform's has, which differs from
 * version to version, so it is that one with some methods of its own.
 */
export function cooperativeDatagramConn(conn: PlatformDatagramConn): PlatformDatagramConn {
  const pump = new Pump(
    () => `Deno.DatagramConn.receive() at ${shown(conn.addr)}`,
    () => conn.receive(),
    () => {},
  );
  let closed = false;
  const own: Partial<PlatformDatagramConn> & Disposable & PollSource = {
    async receive(into) {
      const [data, address] = await pump.take();
      if (into === undefined) return [data, address];
      const part = data.subarray(0, into.length);
      into.set(part);
      return [into.subarray(0, part.length), address];
    },
    async send(data, address) {
      await checkpoint();
      const what = `Deno.DatagramConn.send() to ${shown(address)}`;
      return await waitOutside(what, conn.send(data, address), () => {});
    },
    close() {
      conn.close();
      closed = true;
    },
    async *[Symbol.asyncIterator]() {
      while (true) {
        try {
          yield await this.receive!();
        } catch (error) {
          const ended = error instanceof Deno.errors.BadResource ||
            error instanceof Deno.errors.Interrupted;
          if (closed && ended) return;
          throw error;
        }
      }
    },
    [Symbol.dispose]() {
      if (!closed) this.close!();
    },
    // Sending waits for nobody.
    [watching]: (direction, notify) =>
      direction === "read" ? pump.watch(notify) : { arm: notify, close: () => {} },
  };
  return new Proxy(conn, {
    get(target, name) {
      if (name in own) return Reflect.get(own, name);
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
