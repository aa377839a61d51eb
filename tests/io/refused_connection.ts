/** A function for another thread, whose error is one of `io`. */
import { EventLoop, TcpClient } from "../../mod.ts";

/** Connects to a port where nobody is. */
export async function refused(port: number): Promise<void> {
  const loop = new EventLoop();
  try {
    await new TcpClient().connect({ hostname: "127.0.0.1", port });
  } finally {
    loop.destroy();
  }
}
