// Prints where a program spent its time: the functions of a profile that --cpu-prof has written, with the
// part of the time spent in each itself, from one in a hundred on. Argument: the file.

interface Profile {
  nodes: { id: number; callFrame: { functionName: string; url: string } }[];
  samples: number[];
  timeDeltas: number[];
}

const profile: Profile = JSON.parse(await Deno.readTextFile(Deno.args[0]));
const names = new Map(profile.nodes.map(({ id, callFrame: { functionName, url } }) => {
  const place = url.split("/").slice(-2).join("/");
  return [id, `${functionName || "(anonymous)"} ${place}`.trimEnd()];
}));

const times = new Map<string, number>();
let total = 0;
profile.samples.forEach((id, i) => {
  const name = names.get(id)!;
  if (name === "(idle)") return;
  times.set(name, (times.get(name) ?? 0) + profile.timeDeltas[i]);
  total += profile.timeDeltas[i];
});

for (const [name, time] of [...times].sort(([, a], [, b]) => b - a)) {
  const percent = 100 * time / total;
  if (percent < 1) break;
  console.log(`${percent.toFixed(1).padStart(5)} %  ${name}`);
}
