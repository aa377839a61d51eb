/** What a source is watched for: `"read"` (or accept, or receive) and `"write"`. */
export type Direction = "read" | "write";

/** Looks at one direction of one source. */
export interface Watch {
  /** Has it notify, once, as soon as the source is ready; if it is ready now, at once. */
  arm(): void;
  /** Ends it: it notifies no more. */
  close(): void;
}

/** The method by which a {@linkcode PollSource} can be watched. */
export const watching: unique symbol = Symbol("Evergreen.watching");

/**
 * Something whose readiness can be watched besides a raw file descriptor: the streams, sockets and servers of
 * this library, and whatever else has this one method.
 *
 * A source is ready when the call that it is watched for would not wait: there is data, or its end, or an
 * error to be thrown.
 */
export interface PollSource {
  /**
   * Makes a watch. Any number of them may look at the same source.
   *
   * @param notify Called when the source is ready. With an error, if it cannot be watched any longer.
   */
  [watching](direction: Direction, notify: (error?: Error) => void): Watch;
}

/** What can be watched: a raw file descriptor (with `--allow-ffi`), or a {@linkcode PollSource}. */
export type Pollable = number | PollSource;
