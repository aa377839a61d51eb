import { descriptorKinds } from "./_descriptor_kinds.ts";
import { clientKinds, kinds, tcpKinds } from "./_kinds.ts";
import { settle } from "./_settle.ts";
import { closeAtEveryStep, connectAtEveryStep, giveUpAtEveryStep } from "./_step_laws.ts";

Deno.test.afterEach(settle);

// Only TCP runs on raw sockets, beneath TLS, too; with the others it makes no difference.
const raw = Deno.env.get("EVERGREEN_REACTOR") === "fd";
for (const kind of raw ? tcpKinds.slice(0, 1) : [...kinds, ...descriptorKinds]) {
  giveUpAtEveryStep(kind);
  closeAtEveryStep(kind);
}
for (const kind of clientKinds) {
  if (!raw || kind.name.startsWith("TCP")) connectAtEveryStep(kind);
}
