import type { BaseStream } from "./base_stream.ts";

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
