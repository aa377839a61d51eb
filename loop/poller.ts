/** Bits that say for what a descriptor is watched, or is ready. */
export const READ = 1;
/** See {@linkcode READ}. */
export const WRITE = 2;
/** Comes with {@linkcode READ}: after what is there nothing more will come. */
export const HANGUP = 4;

/** What the operating system offers to watch many descriptors at once: epoll, or kqueue. */
export interface Poller {
  /**
   * Watches a descriptor for `wanted`, having watched it for `before`. Level-triggered: it is found as long as it is
   * ready.
   *
   * @returns 0, or the number of the system's error.
   */
  change(fd: number, wanted: number, before: number): number;
  /**
   * Watches a descriptor until {@linkcode unfollow}. Edge-triggered: it is found once whenever there is more to read,
   * and, after a write has not gone through and {@linkcode expectRoom} was called, once it can be written.
   *
   * @returns 0, or the number of the system's error.
   */
  follow(fd: number): number;
  /** A write to `fd`, which is followed, has not gone through. Returns 0, or the number of the system's error. */
  expectRoom(fd: number): number;
  /** Takes back {@linkcode follow}. */
  unfollow(fd: number): void;
  /** Calls `found` for what is ready now. Returns how many there were. */
  poll(found: (fd: number, ready: number) => void): number;
  /**
   * Waits in a thread of the platform's until something is ready, {@linkcode recall} is called or `patience`
   * milliseconds have passed; with -1, however long it takes. What is ready is then found by {@linkcode poll}.
   */
  wait(patience: number): Promise<unknown>;
  /**
   * Ends {@linkcode wait}, and stays until that thread has left the system. Its promise is settled soon after.
   */
  recall(): void;
  /** Gives everything back. Nobody may be waiting in the system. */
  close(): void;
}

/** The numbers of the errors that are told apart; they are the same on Linux and macOS. */
export const EPERM = 1;
/** There is no such thing, or it is not watched. */
export const ENOENT = 2;
/** The descriptor is not open. */
export const EBADF = 9;
/** The same thing is watched already. */
export const EEXIST = 17;

/**
 * How many ready descriptors one call brings at most. Whoever waits for them goes on before the next ones are looked
 * at: of many, the first need not wait for all others to be read, and are still in the processor's caches.
 */
export const BATCH = 64;
