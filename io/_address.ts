/** An address as it stands in messages: `127.0.0.1:80`, `[::1]:80`. */
export function shownAddress({ hostname, port }: { hostname: string; port: number }): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}
