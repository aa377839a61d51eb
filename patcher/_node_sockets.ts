import http from "node:http";
import http2 from "node:http2";
import https from "node:https";
import net from "node:net";
import tls from "node:tls";
import { belongsToTask } from "./_belonging.ts";

/** A socket, a request or a session. */
interface Closable {
  destroy(error?: Error): unknown;
  once(event: "close", listener: () => void): unknown;
}

// deno-lint-ignore no-explicit-any
type AnyFunction = (...args: any[]) => any;

/** Has what `make` makes belong to the task that calls: it is closed when the task is killed or timed out. */
function owned<F extends AnyFunction>(make: F): F {
  return new Proxy(make, {
    apply(target, self, args) {
      const made = Reflect.apply(target, self, args);
      own(made ?? self); // A class may be called on an object of a class that inherits from it in the old manner.
      return made;
    },
    construct(target, args, newTarget) {
      const made = Reflect.construct(target, args, newTarget);
      own(made as Closable);
      return made;
    },
  });
}

function own(made: Closable): void {
  made.once("close", belongsToTask(() => void made.destroy()));
}

/** Node's modules of sockets. */
export const sockets: Readonly<Record<string, Record<string, unknown>>> = {
  net: {
    ...net,
    connect: owned(net.connect),
    createConnection: owned(net.createConnection),
    Socket: owned(net.Socket as unknown as AnyFunction),
    Stream: owned(net.Socket as unknown as AnyFunction),
  },
  tls: { ...tls, connect: owned(tls.connect) },
  http2: { ...http2, connect: owned(http2.connect as AnyFunction) },
};

/** Node's modules of requests. */
export const requests: Readonly<Record<string, Record<string, unknown>>> = {
  http: { ...http, request: owned(http.request), get: owned(http.get) },
  https: { ...https, request: owned(https.request), get: owned(https.get) },
};
