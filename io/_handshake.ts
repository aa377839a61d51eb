import type { TlsSocket } from "./transport.ts";

/** Makes the handshake. The socket is closed if that fails, or `signal` aborts before it is done. */
export async function shakeHands(socket: TlsSocket, signal: AbortSignal): Promise<string | null> {
  const close = () => socket.close();
  signal.addEventListener("abort", close);
  if (signal.aborted) close();
  try {
    return await socket.handshake();
  } catch (error) {
    close();
    throw error;
  } finally {
    signal.removeEventListener("abort", close);
  }
}
