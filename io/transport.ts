/**
 * What a stream stands on: bytes that come and go, and nothing else. A socket of the platform, a descriptor, a
 * file or a simulated network can each stand there; a stream sees no difference.
 *
 * A call that can be answered at once may return its result in place of a promise, which saves the promise.
 */
export interface Transport {
  /**
   * Reads what is there into `into`. A stream has one read under way at a time, and takes what it brings
   * whoever asked for it, so it is never cancelled but by {@linkcode close}.
   *
   * @returns How many bytes, at least one; `null` at the end.
   */
  read(into: Uint8Array): number | null | Promise<number | null>;
  /**
   * The same for one that has what it reads in the step in which it is called, or tells `later`: it looks at `into` in
   * no other, so many streams may give it the same memory, and no promise is made.
   *
   * @returns `undefined` if nothing is there now.
   */
  readAtOnce?(into: Uint8Array, later: Arrivals): number | null | undefined;
  /**
   * Writes some of `data`. A stream has one write under way at a time.
   *
   * @returns How many bytes the system took.
   */
  write(data: Uint8Array): number | Promise<number>;
  /**
   * Whether the first write may take a turn of the event loop though there is room. A stream waits for that one,
   * and takes any later one that is not through at once for one that has to be buffered.
   */
  readonly startsSlowly?: boolean;
  /**
   * Writes what the system takes of `data` at once, and keeps nothing of it.
   *
   * @returns How many bytes, 0 if none.
   */
  writeAtOnce?(data: Uint8Array): number;
  /** Says to the other side that nothing more comes. */
  closeWrite(): void | Promise<void>;
  /** Ends it, with what is under way. */
  close(): void;
  /** Has a read that is under way keep the program alive. */
  ref(): void;
  /** Has a read that is under way not keep the program alive: nobody waits for it any more. */
  unref(): void;
}

/** Who is told how a read went that found nothing at first; it does no more in that step than to note it. */
export interface Arrivals {
  /** That many bytes have come, or the end. */
  arrived(count: number | null): void;
  /** It has failed. */
  failed(error: unknown): void;
}

/** A transport between two addresses. */
export interface SocketTransport<A = unknown> extends Transport {
  /** Its own address. */
  readonly localAddress: A;
  /** The address of the other side. */
  readonly remoteAddress: A;
  /** Whether small writes are sent at once. */
  setNoDelay(enable: boolean): void;
  /** Whether the system looks now and then whether the other side is still there. */
  setKeepAlive(enable: boolean): void;
}

/** How a connection becomes one with TLS. */
export interface TlsUpgrade {
  /** Whose certificate is expected. */
  hostname: string;
  /** The authorities that are trusted besides the system's, as PEM. */
  caCerts?: string[];
  /** The protocols to choose from, the best first. */
  alpnProtocols?: string[];
}

/** A TCP connection. */
export interface TcpSocket extends SocketTransport<Deno.NetAddr> {
  /** Goes on with TLS. This transport is used up by that. The handshake has not been made when it resolves. */
  startTls(options: TlsUpgrade): Promise<TlsSocket>;
}

/** A TLS connection. */
export interface TlsSocket extends SocketTransport<Deno.NetAddr> {
  /** Waits until both sides have agreed. Returns the protocol they have chosen. */
  handshake(): Promise<string | null>;
}

/** What a server stands on. */
export interface Listener<A = unknown, S extends SocketTransport<A> = SocketTransport<A>> {
  /** Where it listens. */
  readonly address: A;
  /** Waits for a client. A server has one of these under way at a time. */
  accept(): Promise<S>;
  /** Ends it, with what is under way. */
  close(): void;
  /** Has an accept that is under way keep the program alive. */
  ref(): void;
  /** Has an accept that is under way not keep the program alive: nobody waits for it any more. */
  unref(): void;
}
