import { checkpoint } from "../loop/wait.ts";
import { waitOutside } from "../lib/outside_wait.ts";
import { current } from "../tasks/current.ts";

const platformFetch = globalThis.fetch;

/** What reads the whole body of a response. */
const READERS = ["arrayBuffer", "blob", "bytes", "formData", "json", "text"] as const;

/**
 * `fetch` as a blocking call: it is aborted when the wait ends early (the task is killed or timed out), and so is
 * the reading of the body, by whichever method.
 */
export function fetch(input: Request | URL | string, init?: RequestInit): Promise<Response> {
  const refused = checkpoint();
  if (refused !== undefined) return refused;
  const given = init?.signal ?? (input instanceof Request ? input.signal : null);
  const abort = new AbortController();
  // The task's own signal reaches the body where it is read as a stream, and nothing here waits.
  const signals = [abort.signal, current.task.signal];
  if (given !== null) signals.push(given);
  const signal = AbortSignal.any(signals);
  return waitOutside(
    `fetch() of ${input instanceof Request ? input.url : input}`,
    platformFetch(input, { ...init, signal }).then((response) => cooperative(response, abort)),
    () => abort.abort(),
  );
}

/** Has the reading of a whole body be a blocking call, too. */
function cooperative(response: Response, abort: AbortController): Response {
  for (const name of READERS) {
    const read = response[name] as () => Promise<unknown>;
    const value = function (this: Response): Promise<unknown> {
      const refused = checkpoint();
      if (refused !== undefined) return refused;
      return waitOutside(
        `Response.${name}() of ${response.url}`,
        read.call(response),
        () => abort.abort(),
      );
    };
    Object.defineProperty(response, name, { value, configurable: true, writable: true });
  }
  const clone = response.clone;
  const value = () => cooperative(clone.call(response), abort);
  Object.defineProperty(response, "clone", { value, configurable: true, writable: true });
  return response;
}
