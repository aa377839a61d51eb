import type { PatchableModule } from "./modules.ts";

/**
 * The address of a module that sees patched functions: that of the file, and which they are. So it is another
 * module than the one that everybody else imports from that file.
 */
export interface PatchedUrl {
  /** Where the file is. */
  readonly own: string;
  /** What is patched, and what it keeps: what all modules of the same import have in common. */
  readonly mark: string;
  readonly modules: readonly PatchableModule[];
  /** Names that are left alone, since the engine has said that they are declared. */
  readonly kept: readonly string[];
}

const MARK = "#evergreen-";

/** What is added to the address of each file. */
export function markOf(modules: readonly PatchableModule[], kept: readonly string[]): string {
  return MARK + [modules.join("+"), ...kept].join("-");
}

/** Takes an address apart; `null` if it is not a patched one. */
export function parsePatchedUrl(url: string | undefined): PatchedUrl | null {
  const at = url?.indexOf(MARK) ?? -1;
  if (url === undefined || at < 0) return null;
  const [modules, ...kept] = url.slice(at + MARK.length).split("-");
  return {
    own: url.slice(0, at),
    mark: url.slice(at),
    modules: modules.split("+") as PatchableModule[],
    kept,
  };
}
