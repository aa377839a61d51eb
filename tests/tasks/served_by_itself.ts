// A server of another kind than HTTP's, for the tests of serveOnAllCores().
import type { ServerContext } from "../../mod.ts";

export async function serve({ hostname, port, signal, ready }: ServerContext): Promise<void> {
  const listener = Deno.listen({ hostname, port, reusePort: true });
  ready((listener.addr as Deno.NetAddr).port);
  signal.addEventListener("abort", () => listener.close());
  for await (const conn of listener) {
    await conn.write(new TextEncoder().encode("hello"));
    conn.close();
  }
}
