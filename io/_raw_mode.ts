/** The terminals in raw mode, and how each gets out of it. */
const raw = new Map<object, () => void>();

/** The signals that end a program without giving it a chance to tidy up. The platform restores it otherwise. */
const SIGNALS: Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT"]
  : ["SIGINT", "SIGTERM", "SIGHUP"];

/** Sees to it that `restore` is called however the program ends. */
export function enterRawMode(terminal: object, restore: () => void): void {
  if (raw.size === 0) {
    for (const signal of SIGNALS) Deno.addSignalListener(signal, listeners[signal]!);
    addEventListener("unload", restoreAll);
  }
  raw.set(terminal, restore);
}

/** The terminal is out of raw mode. */
export function leaveRawMode(terminal: object): void {
  if (!raw.delete(terminal) || raw.size > 0) return;
  for (const signal of SIGNALS) Deno.removeSignalListener(signal, listeners[signal]!);
  removeEventListener("unload", restoreAll);
}

function restoreAll(): void {
  for (const [terminal, restore] of [...raw]) {
    restore();
    leaveRawMode(terminal);
  }
}

// A program that handles the signal itself goes on, or ends in a way of its own. For any other one the signal does what
// it would have done, once the terminal is restored.
const listeners: Partial<Record<Deno.Signal, () => void>> = Object.fromEntries(
  SIGNALS.map((signal) => [signal, () => {
    if (isHandled(signal)) return;
    restoreAll();
    Deno.kill(Deno.pid, signal);
  }]),
);

/** Whether somebody else listens to a signal. If nobody does, the listener here is gone afterwards. */
function isHandled(signal: Deno.Signal): boolean {
  const listener = listeners[signal]!;
  const before = listened();
  Deno.removeSignalListener(signal, listener);
  if (before === 0 || listened() < before) return false;
  // Not now: the platform is going through its listeners, and would come to this one again, and again.
  queueMicrotask(() => {
    if (raw.size > 0) Deno.addSignalListener(signal, listener);
  });
  return true;
}

/**
 * To how many signals somebody listens; 0 if the platform does not say, which it does in no public way. Then a program's
 * own handler is called once more, by the signal that comes after the terminal is restored.
 */
function listened(): number {
  const platform = Deno as unknown as { internal?: symbol } & Record<symbol, Internals | undefined>;
  const resources = platform[platform.internal ?? Symbol()]?.core?.resources?.() ?? {};
  return Object.values(resources).filter((name) => name === "signal").length;
}

/** What is looked at of the platform's inside. */
interface Internals {
  core?: { resources?(): Record<number, string> };
}

/** Whether a terminal is in raw mode. */
export function inRawMode(terminal: object): boolean {
  return raw.has(terminal);
}
