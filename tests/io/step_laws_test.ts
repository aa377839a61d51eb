import { descriptorKinds } from "./_descriptor_kinds.ts";
import { clientKinds, kinds } from "./_kinds.ts";
import { settle } from "./_settle.ts";
import { closeAtEveryStep, connectAtEveryStep, giveUpAtEveryStep } from "./_step_laws.ts";

Deno.test.afterEach(settle);

for (const kind of [...kinds, ...descriptorKinds]) {
  giveUpAtEveryStep(kind);
  closeAtEveryStep(kind);
}
for (const kind of clientKinds) connectAtEveryStep(kind);
