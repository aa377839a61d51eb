/** Bits that say for what a descriptor is watched, or is ready. */
export const READ = 1;
/** See {@linkcode READ}. */
export const WRITE = 2;

/** What the operating system offers to watch many descriptors at once: epoll, or kqueue. */
export interface Poller {
  /**
   * Watches a descriptor for `wanted`, having watched it for `before`. Level-triggered.
   *
   * @returns 0, or the number of the system's error.
   */
  change(fd: number, wanted: number, before: number): number;
  /** Calls `found` for what is ready now. Returns how many there were. */
  poll(found: (fd: number, ready: number) => void): number;
  /** Waits in a thread of the platform's until something is ready, {@linkcode wake} is called or some time passes. */
  wait(): Promise<unknown>;
  /** Ends {@linkcode wait}. */
  wake(): void;
  /** Gives everything back. Nobody may be waiting. */
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

/** How many ready descriptors one call brings at most. */
export const BATCH = 256;
/** How long the helper waits at most, in milliseconds: then those descriptors are found that were closed. */
export const PATIENCE = 1000;
