import { type HttpHandler, HttpServer, type HttpServerOptions, sleep, spawn } from "../../mod.ts";

/** Has a server of `handler` while `body` runs. */
export async function withServer(
  handler: HttpHandler,
  body: (url: string, server: HttpServer) => Promise<void>,
  options?: HttpServerOptions,
): Promise<void> {
  const server = new HttpServer(handler, options);
  server.bind({ hostname: "127.0.0.1", port: 0 });
  const serving = spawn(() => server.serve());
  await sleep(0);
  try {
    await body(`http://127.0.0.1:${server.sockname.port}`, server);
  } finally {
    await server.close();
    await serving.join();
  }
}
