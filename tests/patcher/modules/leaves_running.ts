// Has things going on in the background, as a pool of connections has.
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

export const log: string[] = [];

export function connect(): Promise<string> {
  const connecting = (async () => {
    try {
      await pause(20);
      log.push("half");
      await pause(20);
      log.push("connected");
      return "connection";
    } finally {
      log.push("left");
    }
  })();
  connecting.catch(() => {});
  return connecting;
}
