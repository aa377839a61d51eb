import { descriptorKinds } from "./_descriptor_kinds.ts";
import { type Kind, kinds, tcpKinds } from "./_kinds.ts";
import { laws } from "./_laws.ts";
import { settle } from "./_settle.ts";

Deno.test.afterEach(settle);

/** Every law holds for every kind of stream that has the abilities it needs. */
function obey(kind: Kind): void {
  for (const { name, needs, check } of laws) {
    if (!needs.every((ability) => kind[ability])) continue;
    Deno.test(`${kind.name}: ${name}`, async () => {
      const pair = await kind.connect();
      try {
        await check(pair, kind);
      } finally {
        pair.close();
        await pair.settled?.();
      }
    });
  }
}

// Only TCP runs on raw sockets; with the others it makes no difference.
const raw = Deno.env.get("EVERGREEN_REACTOR") === "fd";
for (const kind of raw ? tcpKinds : [...kinds, ...descriptorKinds]) obey(kind);
