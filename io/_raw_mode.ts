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

// Once the terminal is restored, the signal does what it would have done, in the program's own handlers too.
const listeners: Partial<Record<Deno.Signal, () => void>> = Object.fromEntries(
  SIGNALS.map((signal) => [signal, () => {
    restoreAll();
    Deno.kill(Deno.pid, signal);
  }]),
);

/** Whether a terminal is in raw mode. */
export function inRawMode(terminal: object): boolean {
  return raw.has(terminal);
}
