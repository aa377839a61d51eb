import type { IncomingMessage, ServerResponse } from "node:http";

/** As much of the package `send` as the tests need. */
export default function send(
  request: IncomingMessage,
  path: string,
  options: { root: string },
): { pipe(response: ServerResponse): void };
