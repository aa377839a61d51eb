const NAMES = ["read", "write", "net", "env", "run", "sys", "ffi", "import"] as const;

/** What Deno is to be started with for a process to have `permissions`. */
export function permissionFlags(permissions: Deno.PermissionOptions): string[] {
  const wanted: Deno.PermissionOptionsObject = permissions === "inherit"
    ? {}
    : permissions === "none"
    ? Object.fromEntries(NAMES.map((name) => [name, false]))
    : permissions;
  const granted = NAMES.map((name) => [name, wanted[name] ?? "inherit"] as const)
    .map(([name, value]) => [name, value === "inherit" ? isGranted(name) : value] as const);
  if (granted.every(([, value]) => value === true)) return ["--allow-all"];
  const flags = granted.flatMap(([name, value]) => flagFor(name, value));
  // Without any, Node's way to start a process would give a Deno all of them.
  return flags.length > 0 ? flags : ["--deny-ffi"];
}

function flagFor(name: string, value: unknown): string[] {
  if (value === true) return [`--allow-${name}`];
  if (!Array.isArray(value) || value.length === 0) return [];
  return [`--allow-${name}=${value.map(String).join(",")}`];
}

function isGranted(name: (typeof NAMES)[number]): boolean {
  const { state, partial } = Deno.permissions.querySync({ name } as Deno.PermissionDescriptor);
  return state === "granted" && !partial;
}
