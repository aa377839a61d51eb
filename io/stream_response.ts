import { shown } from "../loop/arguments.ts";
import { cooperate } from "../loop/event_loop.ts";

/** What a body is made of: texts, which are sent as UTF-8, and bytes. */
export type BodyParts = AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>;

interface Body {
  readonly parts: BodyParts;
  readonly writable: WritableStream<Uint8Array>;
}

const bodies = new WeakMap<Response, Body>();
const encoder = new TextEncoder();

/**
 * Makes a response, to be returned by the handler of an `HttpServer`, whose body is made in the task of the request.
 * So whatever `parts` waits for is a blocking call of that task, and is killed when the client goes away. A part is
 * asked for when the client has room for it.
 *
 * An error in `parts` is reported, and cuts the connection: the client sees that the body is not whole.
 *
 * @param parts What the body is made of; an async generator most likely.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { cooperate, HttpServer, sleep, spawn, streamResponse } from "@evergreen/evergreen";
 *
 * async function* count() {
 *   for (let i = 0; i < 3; i++) {
 *     await sleep(1);
 *     yield `data: ${i}\n\n`;
 *   }
 * }
 * const headers = { "content-type": "text/event-stream" };
 * const server = new HttpServer(() => streamResponse(count(), { headers }));
 * server.bind({ hostname: "127.0.0.1", port: 0 });
 * spawn(() => server.serve());
 *
 * const response = await cooperate(fetch(`http://127.0.0.1:${server.sockname.port}`));
 * assertEquals(await cooperate(response.text()), "data: 0\n\ndata: 1\n\ndata: 2\n\n");
 * await server.close();
 * ```
 */
export function streamResponse(parts: BodyParts, init?: ResponseInit): Response {
  const iterable = parts as Partial<AsyncIterable<unknown> & Iterable<unknown>> | null | undefined;
  if (
    typeof parts === "string" ||
    !(iterable?.[Symbol.asyncIterator] || iterable?.[Symbol.iterator])
  ) {
    throw new TypeError(
      `Cannot make a response: its parts must be something to iterate over, not ${shown(parts)}`,
    );
  }
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const response = new Response(readable, init);
  bodies.set(response, { parts, writable });
  return response;
}

/** Makes the body of a response that was made by {@linkcode streamResponse}; of another, there is nothing to do. */
export async function makeBody(response: Response): Promise<void> {
  const body = bodies.get(response);
  if (body === undefined) return;
  bodies.delete(response);
  const writer = body.writable.getWriter();
  writer.closed.catch(ignore);
  try {
    for await (const part of body.parts) {
      if (typeof part !== "string" && !(part instanceof Uint8Array)) {
        throw new TypeError(
          `Cannot send a body: its parts must be strings or Uint8Arrays, not ${shown(part)}`,
        );
      }
      if (!await isReady(writer)) return;
      writer.write(typeof part === "string" ? encoder.encode(part) : part).catch(ignore);
    }
    if (await isReady(writer)) writer.close().catch(ignore);
  } catch (error) {
    // Not the error, which is reported already: the platform writes what it gets to the console.
    writer.abort("The body of a response was cut off").catch(ignore);
    throw error;
  }
}

/** Waits until there is room. Returns whether anybody wants it. */
async function isReady(writer: WritableStreamDefaultWriter): Promise<boolean> {
  const ready = writer.ready.then(() => true, () => false);
  return await cooperate(ready);
}

/** Nobody wants it any more: the task is told in another way. */
function ignore(): void {}
