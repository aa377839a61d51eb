type Line = IteratorResult<string, undefined>;

/**
 * What an async generator over the lines of a stream would be, several times as fast: a generator takes three
 * turns of its own for each. Unlike one it can be asked again after an error, and then tries again.
 */
export class Lines implements AsyncIterableIterator<string, undefined> {
  readonly #take: () => Promise<Line | null>;
  #left = false;

  /** @param take Takes the next line out of the stream. It never gives `null`. */
  constructor(take: () => Promise<Line | null>) {
    this.#take = take;
  }

  next(): Promise<Line> {
    return this.#left ? this.return() : this.#take() as Promise<Line>;
  }

  /** The loop was left. */
  return(): Promise<Line> {
    this.#left = true;
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
