import { assertEquals, assertInstanceOf } from "@std/assert";
import { moduleFunction, StreamError, TcpError, ThreadPoolExecutor } from "../../mod.ts";
import { outcomeOf, runLoop } from "../run_loop.ts";
import type * as there from "./refused_connection.ts";

Deno.test("an error of a stream keeps its class, code and number across threads", () =>
  runLoop(async () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    listener.close();
    const refused = moduleFunction<typeof there, "refused">(
      new URL("./refused_connection.ts", import.meta.url),
      "refused",
    );
    await using pool = new ThreadPoolExecutor(1);
    const outcome = await outcomeOf(() => pool.submit(refused, port).get());
    const error = "error" in outcome ? outcome.error : undefined;
    assertInstanceOf(error, TcpError);
    assertInstanceOf(error, StreamError);
    assertEquals([error.code, error.errno], ["ECONNREFUSED", 111]);
  }, { clock: undefined }));
