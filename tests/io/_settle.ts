/**
 * Waits, where TCP runs on raw sockets, until the loop has let go of what it watches them with. It does so a few turns
 * after the last one is closed, so that closing one and opening another costs nothing.
 */
export async function settle(): Promise<void> {
  if (Deno.env.get("EVERGREEN_REACTOR") !== "fd") return;
  await new Promise((resolve) => setTimeout(resolve, 20));
}
