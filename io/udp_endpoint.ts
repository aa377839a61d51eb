import { registerErrorClass } from "../loop/carried_error.ts";
import dgram from "node:dgram";
import { isIP } from "node:net";
import { shown } from "../loop/arguments.ts";
import { type Direction, type PollSource, type Watch, watching } from "../loop/poll_source.ts";
import { Scheduler } from "../loop/scheduler.ts";
import { checkpoint, OUTSIDE, raisesTimeout, Wait, type WaitOptions } from "../loop/wait.ts";
import { shownAddress } from "./_address.ts";
import { coded, failureOf } from "./_failure.ts";
import { lookup } from "./_immediate_lookup.ts";
import { KeepAlive } from "./_keep_alive.ts";
import { Onlookers } from "./_onlookers.ts";
import { OutsideLine } from "./_outside_line.ts";
import { Slab } from "./_slab.ts";
import type { StreamErrorOptions } from "./stream_error.ts";
import { checkTarget, type TcpTarget } from "./tcp_client.ts";
import { whyNotSent } from "./_unsent_datagram.ts";

/** Something went wrong with UDP. */
export class UdpError extends Error {
  static {
    this.prototype.name = "UdpError";
    registerErrorClass(this);
  }

  /** What went wrong: a name of the system's table, or "ECLOSED" for a call on something that is closed. */
  readonly code: string;
  /** The number of that name on this system; 0 if it has none. */
  readonly errno: number;
  /** The address it is about, if there is one. */
  readonly address: string | null;

  /** Makes one. */
  constructor(message?: string, options?: StreamErrorOptions) {
    super(message, options);
    this.code = options?.code ?? "UNKNOWN";
    this.errno = options?.errno ?? 0;
    this.address = options?.address ?? null;
  }
}

/** A datagram, and who sent it. */
type Datagram = [data: Uint8Array, address: Deno.NetAddr];

const encoder = new TextEncoder();
/** How many bytes are kept that nobody has received, about; what comes then is dropped, as the system does. */
const MOST_KEPT = 8_388_608;
/** What a datagram costs besides its bytes. */
const OVERHEAD = 256;

/**
 * Sends and receives datagrams, over IPv4 or IPv6. What arrives while nobody receives is kept, so a receive that
 * is killed or times out loses nothing.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { UdpEndpoint } from "@evergreen/evergreen";
 *
 * using server = new UdpEndpoint();
 * server.bind({ hostname: "127.0.0.1", port: 0 });
 * using client = new UdpEndpoint();
 * await client.send("ping", server.sockname);
 *
 * const [data, address] = await server.receive();
 * await server.send(data, address);
 * assertEquals((await client.receive())[0], new TextEncoder().encode("ping"));
 * ```
 */
export class UdpEndpoint implements Disposable, PollSource {
  readonly #slab = new Slab();
  readonly #receivers = new OutsideLine<Datagram>(
    () => `UdpEndpoint.receive()${this.#where()}`,
    () => this.#keepAlive.release(),
  );
  readonly #flushers = new OutsideLine<void>(
    () => `UdpEndpoint.flush()${this.#where()}`,
    () => this.#keepAlive.release(),
  );
  readonly #onlookers = { read: new Onlookers(), write: new Onlookers() };
  readonly #keepAlive = new KeepAlive(() =>
    this.#receivers.size + this.#flushers.size > 0 ||
    this.#onlookers.read.size + this.#onlookers.write.size > 0
  );
  readonly #sending = new Set<Wait<boolean>>();
  #socket: dgram.Socket | null = null;
  #bound: Deno.NetAddr | null = null;
  #kept: Datagram[] = [];
  #size = 0;
  /** The sends that are not through, the one under way first. */
  #queue: (() => void)[] = [];
  #broadcasts = false;
  #closed = false;

  /** Whether {@linkcode UdpEndpoint.prototype.close} was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** The address it is bound to; one that has only sent is bound to a port that the system has chosen. */
  get sockname(): Deno.NetAddr {
    if (this.#closed) throw this.#closedError("get the address");
    if (this.#bound === null) {
      throw this.#refused("get the address", "the endpoint is not bound");
    }
    return this.#bound;
  }

  /**
   * Binds it to an address of this machine. Port 0 is any that is free.
   *
   * @throws {UdpError} If the address cannot be had, or the endpoint is bound or closed already.
   */
  bind(address: { hostname?: string; port: number }, options?: { reuseAddress?: boolean }): void {
    checkTarget("bind", address);
    const { hostname = "0.0.0.0", port } = address;
    if (this.#closed) throw this.#closedError("bind");
    if (this.#bound !== null) {
      throw this.#refused("bind", "the endpoint is bound already");
    }
    if (isIP(hostname) === 0 && hostname !== "localhost") {
      throw new RangeError(`Cannot bind: the hostname must be an IP address, not ${hostname}`);
    }
    this.#open(hostname, port, options?.reuseAddress ?? false);
  }

  /**
   * Sends a datagram, a string as UTF-8. The first one binds the endpoint, if it is not bound.
   *
   * @returns `true`: the system has it. Whether it arrives nobody can tell.
   * @throws {UdpError} If the system does not take it, or the endpoint is closed.
   */
  send(
    data: string | Uint8Array,
    address: TcpTarget,
    options?: WaitOptions,
  ): Promise<boolean> {
    const refused = this.#refuse("send", options);
    if (refused !== undefined) return refused;
    try {
      checkTarget("send", address, 1);
      if (address.hostname === undefined) {
        throw new TypeError("Cannot send: a hostname is needed");
      }
      if (typeof data !== "string" && !(data instanceof Uint8Array)) {
        throw new TypeError(`Cannot send: a string or a Uint8Array is needed, not ${shown(data)}`);
      }
      const any = address.hostname.includes(":") ? "::" : "0.0.0.0";
      const socket = this.#socket ?? this.#open(any, 0, false);
      return this.#send(socket, data, address, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Waits for a datagram.
   *
   * @returns Its bytes, and who sent it.
   * @throws {UdpError} If the endpoint is closed, or is meanwhile, or is not bound.
   * @throws {TimeoutError} If none comes within `options.timeout`.
   */
  receive(options?: WaitOptions): Promise<[data: Uint8Array, address: Deno.NetAddr]> {
    const refused = this.#refuse("receive", options);
    if (refused !== undefined) return refused;
    if (this.#bound === null) {
      return Promise.reject(
        this.#refused("receive", "the endpoint is not bound; bind() it first"),
      );
    }
    const first = this.#kept.shift();
    if (first !== undefined) {
      this.#size -= first[0].length + OVERHEAD;
      return Promise.resolve(first);
    }
    const promise = this.#receivers.wait(raisesTimeout, options);
    this.#keepAlive.hold();
    return promise;
  }

  /** Waits until the system has all that was sent, by whichever task. */
  flush(options?: WaitOptions): Promise<void> {
    const refused = this.#refuse("flush", options);
    if (refused !== undefined) return refused;
    if (this.#queue.length === 0) return Promise.resolve();
    const promise = this.#flushers.wait(raisesTimeout, options);
    this.#keepAlive.hold();
    return promise;
  }

  /** Closes it. Who waits on it gets an error. Again, it does nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#kept = [];
    this.#queue = [];
    this.#receivers.raiseAll(() => this.#closedError("receive"));
    this.#flushers.raiseAll(() => this.#closedError("flush"));
    this.#onlookers.read.notify();
    this.#onlookers.write.notify();
    for (const wait of this.#sending) wait.raise(() => this.#closedError("send"));
    this.#keepAlive.stop();
    this.#socket?.close();
    this.#socket = null;
  }

  /** {@linkcode UdpEndpoint.prototype.close} */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Receives until the endpoint is closed. */
  async *[Symbol.asyncIterator](): AsyncIterator<[data: Uint8Array, address: Deno.NetAddr]> {
    while (!this.#closed) {
      let datagram: Datagram;
      try {
        datagram = await this.receive();
      } catch (error) {
        if (this.#closed && error instanceof UdpError) return;
        throw error;
      }
      yield datagram;
    }
  }

  /**
   * Tells {@linkcode EventLoop.prototype.addReader} and `lib.select` when a datagram is there, and when all that was
   * sent is through.
   */
  [watching](direction: Direction, notify: (error?: Error) => void): Watch {
    return this.#onlookers[direction].add(() => notify(), () => {
      const waits = direction === "read"
        ? this.#kept.length === 0 && this.#bound !== null
        : this.#queue.length > 0;
      if (!waits || this.#closed) return true;
      this.#keepAlive.hold();
      return false;
    }, () => this.#keepAlive.release());
  }

  /** Whether datagrams may be sent to broadcast addresses. */
  setBroadcast(enable: boolean): void {
    this.#set("set broadcast", (socket) => socket.setBroadcast(enable));
    this.#broadcasts = enable;
  }

  /** Over how many routers a datagram may go. */
  setTtl(ttl: number): void {
    this.#set("set the TTL", (socket) => socket.setTTL(ttl));
  }

  /**
   * By way of which interface multicast datagrams are sent, by default one that the system chooses.
   *
   * @param via An address of that interface; over IPv6 "::%" and its name, as in "::%eth0".
   */
  setMulticastInterface(via: string): void {
    this.#set("set the multicast interface", (socket) => socket.setMulticastInterface(via));
  }

  /** Over how many routers a multicast datagram may go. */
  setMulticastTtl(ttl: number): void {
    this.#set("set the multicast TTL", (socket) => socket.setMulticastTTL(ttl));
  }

  /** Whether multicast datagrams that are sent arrive at this machine too. */
  setMulticastLoopback(enable: boolean): void {
    this.#set("set multicast loopback", (socket) => socket.setMulticastLoopback(enable));
  }

  /** Receives what is sent to a multicast group, by way of the interface with the address `via`. */
  joinMulticast(group: string, via?: string): void {
    this.#set(`join ${group}`, (socket) => socket.addMembership(group, via));
  }

  /** Undoes {@linkcode UdpEndpoint.prototype.joinMulticast}. */
  leaveMulticast(group: string, via?: string): void {
    this.#set(`leave ${group}`, (socket) => socket.dropMembership(group, via));
  }

  #open(hostname: string, port: number, reuseAddr: boolean): dgram.Socket {
    const type = hostname.includes(":") ? "udp6" : "udp4";
    const socket = dgram.createSocket({ type, reuseAddr, lookup: lookup as never });
    const address = shownAddress({ hostname, port });
    let failure: unknown;
    const fail = (error: unknown) => failure = error;
    socket.on("error", fail);
    socket.unref(); // It works before bind() only. While somebody waits, KeepAlive does what ref() would.
    try {
      socket.bind(port, hostname);
      if (failure !== undefined) throw failure;
      const { address: host, port: chosen } = socket.address();
      this.#bound = { transport: "udp", hostname: host, port: chosen };
    } catch (cause) {
      const { why, ...options } = failureOf(failure ?? cause, address);
      throw new UdpError(`Cannot bind to ${address}: ${why}`, options);
    }
    socket.on("message", (data, { address, port }) => this.#arrived(data, address, port));
    this.#socket = socket;
    return socket;
  }

  #arrived(data: Uint8Array, hostname: string, port: number): void {
    // The platform reads each into memory for the largest there can be, which is not kept for a little one.
    const bytes = this.#slab.copy(data, 0, data.length);
    const datagram: Datagram = [bytes, { transport: "udp", hostname, port }];
    const receiver = this.#receivers.first;
    if (receiver !== null) {
      receiver.wake(datagram);
      this.#keepAlive.release();
    } else if (this.#size <= MOST_KEPT) {
      this.#size += bytes.length + OVERHEAD;
      this.#kept.push(datagram);
      this.#onlookers.read.notify();
      this.#keepAlive.release();
    }
  }

  #send(
    socket: dgram.Socket,
    data: string | Uint8Array,
    address: TcpTarget,
    options?: WaitOptions,
  ): Promise<boolean> {
    const describe = () => `UdpEndpoint.send() to ${shownAddress(address)}`;
    const wait = Wait.begin<boolean>(Scheduler.current(), { describe }, OUTSIDE);
    this.#sending.add(wait);
    wait.onLeave(() => this.#sending.delete(wait));
    if (options?.timeout !== 0 && options !== undefined) wait.limit(options, raisesTimeout);
    // What has to wait for others is copied: the caller may use its memory again.
    const bytes = typeof data === "string"
      ? encoder.encode(data)
      : this.#queue.length > 0
      ? data.slice()
      : data;
    const send = () => {
      try {
        socket.send(bytes, address.port, address.hostname, sent);
      } catch (cause) {
        sent(cause as Error);
      }
    };
    const sent = (cause: Error | null) => {
      this.#sending.delete(wait);
      this.#queue.shift();
      this.#queue[0]?.();
      if (this.#queue.length === 0) {
        this.#flushers.wakeAll();
        this.#onlookers.write.notify();
        this.#keepAlive.release();
      }
      if (cause === null || cause === undefined) return wait.wake(true);
      const { why, ...details } = whyNotSent(cause, address, this.#bound!, this.#broadcasts);
      wait.raise(() => new UdpError(`Cannot send to ${shownAddress(address)}: ${why}`, details));
    };
    // One after the other: what the platform is given at once it does not send in order.
    if (this.#queue.push(send) === 1) send();
    return wait.promise;
  }

  #set(what: string, change: (socket: dgram.Socket) => void): void {
    if (this.#closed) throw this.#closedError(what);
    if (this.#socket === null) {
      throw this.#refused(what, "the endpoint is not bound");
    }
    try {
      change(this.#socket);
    } catch (cause) {
      const { why, ...options } = failureOf(cause, this.#address);
      throw new UdpError(`Cannot ${what}: ${why}`, options);
    }
  }

  #refuse(what: string, options?: WaitOptions): Promise<never> | undefined {
    const refused = checkpoint(options);
    if (refused !== undefined) return refused;
    return this.#closed ? Promise.reject(this.#closedError(what)) : undefined;
  }

  #closedError(what: string): UdpError {
    return this.#refused(what, "the endpoint is closed", "ECLOSED");
  }

  #refused(what: string, why: string, code = "EINVAL"): UdpError {
    return new UdpError(`Cannot ${what}: ${why}`, coded(code, this.#address));
  }

  get #address(): string | undefined {
    return this.#bound === null ? undefined : shownAddress(this.#bound);
  }

  #where(): string {
    return this.#bound === null ? "" : ` at ${shownAddress(this.#bound)}`;
  }
}
