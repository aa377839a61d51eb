import type { Handler } from "../loop/handler.ts";

/** What a request becomes that is answered before its task has ended: a WebSocket. */
export interface Successor extends AsyncDisposable {
  /** Settles when it has ended. */
  readonly gone: Promise<void>;
  /** Has the client told that the server is closed. */
  retire(): void;
  /** Ends it, with a code of RFC 6455: the task has ended. */
  close(code?: number): void;
}

/** A request that is being handled. */
export interface Exchange {
  readonly info: Deno.ServeHandlerInfo<Deno.NetAddr>;
  answered: boolean;
  /** Has the client answered; the first time it is called. */
  readonly answer: (response: Response) => void;
  /** Ends the time it may take. */
  limit: Handler | null;
  successor: Successor | null;
  upgrading: boolean;
  /** Tells the server of what the request has become. */
  readonly adopt: (successor: Successor) => void;
}

/** Those that are being handled. */
export const exchanges = new WeakMap<Request, Exchange>();

/**
 * Answers a request that becomes something else, a WebSocket, while its task goes on. When that has ended it is
 * closed.
 *
 * @param make Makes the answer, and what the request becomes, given the client's address.
 * @throws {TypeError} If the request is not one that is being handled by an `HttpServer`, or was answered.
 */
export function answerEarly<S extends Successor>(
  request: Request,
  make: (peername: Deno.NetAddr) => [Response, S],
): S {
  const exchange = exchanges.get(request);
  if (exchange === undefined) {
    throw new TypeError("Cannot upgrade: this is no request that an HttpServer is handling");
  }
  if (exchange.upgrading) {
    throw new TypeError("Cannot upgrade: the request was upgraded already");
  }
  // Before the response is made: making it aborts the signal of the request.
  exchange.upgrading = true;
  try {
    const [response, successor] = make(exchange.info.remoteAddr);
    exchange.successor = successor;
    exchange.adopt(successor);
    exchange.answer(response);
    return successor;
  } catch (error) {
    exchange.upgrading = false;
    throw error;
  }
}
