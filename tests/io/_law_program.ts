/** Checks one law of one kind of stream of which a program has one: its name, the law's, and where the other side is. */
import { spawn } from "../../mod.ts";
import { ownKinds } from "./_descriptor_kinds.ts";
import { laws } from "./_laws.ts";

const [kindName, lawName, other, report] = Deno.args;
const kind = ownKinds.find(({ name }) => name === kindName)!;
const law = laws.find(({ name }) => name === lawName)!;

let outcome = "kept";
const task = spawn(async () => {
  try {
    const pair = await kind.open(other);
    await law.check(pair, kind);
    pair.close();
  } catch (error) {
    outcome = error instanceof Error ? error.stack ?? error.message : String(error);
  }
});
await task.join();
// The streams themselves are what is looked at.
Deno.writeTextFileSync(report, outcome);
