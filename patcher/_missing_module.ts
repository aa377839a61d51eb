import { fetchRemote, isRemote } from "./_remote_modules.ts";

const MESSAGE = /The module (\S+) was not fetched/;

/** A module that the platform has not fetched yet. The hook that needs it cannot wait for it. */
export class MissingModule extends Error {
  /** @param specifier That of an npm package, or the address of a remote module. */
  constructor(specifier: string) {
    super(`The module ${specifier} was not fetched`);
  }
}

/** The module that an error is about, if it is that one. */
export function missingModule(error: unknown): string | null {
  // The platform gives the error that a hook throws in one of its own.
  return MESSAGE.exec(String((error as Error | null)?.message))?.[1] ?? null;
}

/** What CommonJS modules threw, which run while they are looked for. The platform gives it on as text only. */
const thrown: unknown[] = [];

/** An error that carries another one through the platform. */
export class CarriedError extends Error {
  constructor(error: unknown) {
    super(`A CommonJS module has thrown error ${thrown.push(error) - 1}: ${error}`);
  }
}

/** What `error` carries, or itself. */
export function carried(error: unknown): unknown {
  const index = /A CommonJS module has thrown error (\d+):/.exec(
    String((error as Error | null)?.message),
  )?.[1];
  return index === undefined ? error : thrown[Number(index)];
}

/** Has the platform fetch a module, and run nothing of it. */
export async function fetchMissing(specifier: string): Promise<void> {
  if (isRemote(specifier)) return await fetchRemote(specifier);
  try {
    // A file that no package has: the platform looks for it when it has the package.
    await import(`${specifier.replace(/\/$/, "")}/not-a-file-of-evergreen`);
  } catch {
    // Whether it is there now, the next attempt will say.
  }
}
