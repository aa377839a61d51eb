import { checkpoint } from "../loop/wait.ts";

/** Something that is read piece by piece, in blocking calls. */
export interface Reading {
  /** Waits for `promise`. If that ends early, the reading is over. */
  wait<T>(what: string, promise: Promise<T>): Promise<T>;
  /** There is nothing left to read. */
  over(): void;
}

type Reader = ReadableStreamDefaultReader<Uint8Array> | ReadableStreamBYOBReader;

/** Has the reading of a stream be a blocking call, by whichever of its methods. It stays the same object. */
export function cooperativeStream<S extends ReadableStream>(stream: S, reading: Reading): S {
  const { getReader, pipeThrough, pipeTo, tee } = stream;

  const own = {
    getReader(options?: { mode?: undefined }): Reader {
      return cooperativeReader(getReader.call(stream, options) as Reader, reading);
    },
    async pipeTo(destination: WritableStream, options?: StreamPipeOptions): Promise<void> {
      await checkpoint();
      await reading.wait("pipeTo()", pipeTo.call(stream, destination, options));
      reading.over();
    },
    pipeThrough(
      transform: { writable: WritableStream; readable: ReadableStream },
      options?: StreamPipeOptions,
    ): ReadableStream {
      return cooperativeStream(pipeThrough.call(stream, transform, options), reading);
    },
    tee(): ReadableStream[] {
      return tee.call(stream).map((branch) => cooperativeStream(branch, reading));
    },
    async *values(options?: ReadableStreamIteratorOptions): AsyncGenerator<unknown> {
      const reader = own.getReader() as ReadableStreamDefaultReader;
      let ended = false;
      try {
        while (true) {
          const { done, value } = await reader.read();
          if (done) break;
          yield value;
        }
        ended = true;
      } finally {
        if (!ended && !options?.preventCancel) reader.cancel().catch(() => {});
        reader.releaseLock();
      }
    },
  };
  for (const [name, value] of Object.entries(own)) replace(stream, name, value);
  replace(stream, Symbol.asyncIterator, own.values);
  return stream;
}

function cooperativeReader<R extends Reader>(reader: R, reading: Reading): R {
  const { read, cancel } = reader as ReadableStreamDefaultReader;
  replace(reader, "read", async (...args: []) => {
    await checkpoint();
    const result = await reading.wait("Response.body", read.apply(reader, args));
    if (result.done) reading.over();
    return result;
  });
  replace(reader, "cancel", async (reason?: unknown) => {
    reading.over();
    await cancel.call(reader, reason);
  });
  return reader;
}

function replace(object: object, name: PropertyKey, value: unknown): void {
  Object.defineProperty(object, name, { value, configurable: true, writable: true });
}
