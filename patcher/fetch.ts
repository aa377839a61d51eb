import { Scheduler } from "../loop/scheduler.ts";
import { checkpoint, OUTSIDE, Wait } from "../loop/wait.ts";
import { outlives } from "../lib/promise.ts";
import { belongsToTask } from "./_belonging.ts";
import { cooperativeStream, type Reading } from "./_body_stream.ts";

const platformFetch = globalThis.fetch;

/** What reads the whole body of a response. */
const READERS = ["arrayBuffer", "blob", "bytes", "formData", "json", "text"] as const;

/** Those who wait to hear that a request is over where nobody has read its response to the end. */
const dropped = new FinalizationRegistry<() => void>((forget) => forget());

/**
 * `fetch` as a blocking call: it is aborted when the task is killed or timed out, and so is the reading of the body,
 * by whichever method. What a task has not waited for when it ends by itself goes on, as it does on the platform.
 */
export function fetch(input: Request | URL | string, init?: RequestInit): Promise<Response> {
  const refused = checkpoint();
  if (refused !== undefined) return refused;
  const given = init?.signal ?? (input instanceof Request ? input.signal : null);
  const abort = new AbortController();
  const request = new OngoingRequest(`${input instanceof Request ? input.url : input}`, abort);
  // What is no signal is refused by the platform.
  const signal = given === null
    ? abort.signal
    : given instanceof AbortSignal
    ? AbortSignal.any([abort.signal, given])
    : given;
  return request.wait(
    "fetch()",
    platformFetch(input, { ...init, signal }).then((response) => cooperative(response, request)),
  );
}

/** A request, with the reading of its response. It belongs to the task that has made it until it is over. */
class OngoingRequest implements Reading {
  readonly #address: string;
  readonly #abort: AbortController;
  readonly #forget: () => void;

  constructor(address: string, abort: AbortController) {
    this.#address = address;
    this.#abort = abort;
    const weak = new WeakRef(abort);
    this.#forget = belongsToTask((error) => weak.deref()?.abort(error));
    dropped.register(abort, this.#forget);
  }

  async wait<T>(what: string, promise: Promise<T>): Promise<T> {
    const reason = { describe: () => `${what} of ${this.#address}` };
    const wait = Wait.begin<T>(Scheduler.current(), reason, OUTSIDE);
    promise.then((value) => wait.wake(value), (error) => wait.throw(error));
    let goesOn = false;
    wait.onLeave(() => {
      goesOn = outlives(wait.strand);
      if (!goesOn) this.#abort.abort();
    });
    try {
      return await wait.promise;
    } catch (error) {
      if (goesOn) return await promise;
      this.#forget();
      throw error;
    }
  }

  over(): void {
    this.#forget();
  }
}

/** Has the reading of a body be a blocking call, too. */
function cooperative(response: Response, request: OngoingRequest): Response {
  if (response.body === null) request.over();
  for (const name of READERS) {
    const read = response[name] as () => Promise<unknown>;
    replace(response, name, async function (): Promise<unknown> {
      await checkpoint();
      const value = await request.wait(`Response.${name}()`, read.call(response));
      request.over();
      return value;
    });
  }
  const { body, clone } = response;
  if (body !== null) replace(response, "body", cooperativeStream(body, request));
  replace(response, "clone", () => cooperative(clone.call(response), request));
  return response;
}

function replace(response: Response, name: keyof Response, value: unknown): void {
  Object.defineProperty(response, name, { value, configurable: true, writable: true });
}
