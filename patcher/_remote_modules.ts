/** A module from the network: where it really is, after redirections, and its source. */
export interface RemoteModule {
  readonly url: string;
  readonly source: string;
}

/** What was fetched, by the addresses that lead there. */
const modules = new Map<string, RemoteModule>();

/** Told of the addresses that remote modules import, while there is one. */
let noting: Set<string> | null = null;

/** Whether a module is one from the network. */
export function isRemote(url: string): boolean {
  return /^(?:https?|jsr):/.test(url);
}

/** The module at an address that was fetched. */
export function remoteModule(url: string): RemoteModule | undefined {
  return modules.get(url);
}

/** Says that a module imports another one. */
export function noteImport(parent: string | undefined, url: string): void {
  if (noting !== null && parent !== undefined && isRemote(parent) && isRemote(url)) noting.add(url);
}

/**
 * Fetches a remote module, and what it imports, by the platform's own means: with its cache, its lock file and its
 * permissions. Nothing of them is run.
 *
 * @throws What the platform says if it cannot.
 */
export async function fetchRemote(url: string): Promise<void> {
  const needed = noting = new Set([url]);
  try {
    // The platform fetches all before it finds that this cannot be linked. Then it knows where redirections lead,
    // and which file a `jsr:` specifier means.
    const probe = `import ${JSON.stringify(url)}; import { missing } from "data:text/javascript,";`;
    await import(`data:text/javascript,${encodeURIComponent(probe)}`);
  } catch (error) {
    if (!(error instanceof SyntaxError) || !error.message.includes("'missing'")) throw error;
  } finally {
    noting = null;
  }
  await Promise.all([...needed].map(async (address) => {
    if (modules.has(address)) return;
    const final = import.meta.resolve(address);
    const { default: source } = await import(final, { with: { type: "text" } });
    const module = { url: final, source };
    modules.set(address, module).set(final, module);
  }));
}
