import { shown } from "../loop/arguments.ts";
import { BaseStream } from "./base_stream.ts";
import type { Transport } from "./transport.ts";

/** A stream as a `ReadableStream`, which reads only when it is read. */
export function readableOf(stream: BaseStream): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller): Promise<void> {
      const chunk = await stream.read();
      if (chunk === null) controller.close();
      else controller.enqueue(chunk);
    },
    cancel: () => stream.close(),
  }, { highWaterMark: 0 });
}

/** A stream as a `WritableStream`, with the stream's own backpressure. */
export function writableOf(stream: BaseStream): WritableStream<Uint8Array> {
  return new WritableStream<Uint8Array>({
    async write(chunk): Promise<void> {
      await stream.write(chunk);
    },
    close: () => stream.shutdown(),
    abort: () => stream.close(),
  });
}

/** A stream that stands on two of the platform's. */
export function fromPlatform(
  readable: ReadableStream<Uint8Array> | null,
  writable: WritableStream<Uint8Array> | null,
): BaseStream {
  return new (platformStream ??= makeClass())(readable, writable);
}

type PlatformStreamClass = new (
  readable: ReadableStream<Uint8Array> | null,
  writable: WritableStream<Uint8Array> | null,
) => BaseStream;

let platformStream: PlatformStreamClass | null = null;

/** The class is made when it is first needed, as the one it extends needs this file to be there. */
function makeClass(): PlatformStreamClass {
  return class PlatformStream extends BaseStream {
    constructor(
      readable: ReadableStream<Uint8Array> | null,
      writable: WritableStream<Uint8Array> | null,
    ) {
      super();
      this.attach(new PlatformTransport(readable, writable));
    }

    protected override get address(): undefined {
      return undefined;
    }
  };
}

class PlatformTransport implements Transport {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | null;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array> | null;
  #rest: Uint8Array | null = null;

  constructor(
    readable: ReadableStream<Uint8Array> | null,
    writable: WritableStream<Uint8Array> | null,
  ) {
    this.#reader = readable?.getReader() ?? null;
    this.#writer = writable?.getWriter() ?? null;
    // What fails is told to who reads or writes.
    this.#reader?.closed.catch(() => {});
    this.#writer?.closed.catch(() => {});
    this.#writer?.ready.catch(() => {});
  }

  async read(into: Uint8Array): Promise<number | null> {
    while (this.#rest === null || this.#rest.length === 0) {
      const { done, value } = await this.#reader?.read() ?? { done: true, value: undefined };
      if (done) return null;
      this.#rest = bytesOf(value);
    }
    const count = Math.min(this.#rest.length, into.length);
    into.set(this.#rest.subarray(0, count));
    this.#rest = this.#rest.subarray(count);
    return count;
  }

  async write(data: Uint8Array): Promise<number> {
    if (this.#writer === null) throw new Deno.errors.NotSupported("There is no writable side");
    try {
      await this.#writer.ready;
      // Whoever reads it may keep it, and this memory is used again.
      await this.#writer.write(data.slice());
    } catch (error) {
      // Whoever cancels need not say why.
      throw error ?? new Deno.errors.BrokenPipe("The other side was cancelled");
    }
    return data.length;
  }

  async closeWrite(): Promise<void> {
    await this.#writer?.close();
  }

  close(): void {
    this.#reader?.cancel().catch(() => {});
    // What was written arrives, as it does with a socket.
    this.#writer?.close().catch(() => {});
  }

  // The platform's streams know of no such thing.
  ref(): void {}
  unref(): void {}
}

/** A chunk as bytes: whatever the platform takes for some. */
function bytesOf(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  if (ArrayBuffer.isView(chunk)) {
    return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
  throw new TypeError(`bytes are needed, and the readable side gave ${shown(chunk)}`);
}
