/**
 * Measure what this library costs, each operation against the least that the platform can do.
 *
 * | To... | Run |
 * | --- | --- |
 * | measure everything | `deno task bench` |
 * | measure some of it | `deno task bench channel timers` |
 * | fail if a bound is missed | `deno task bench --strict` |
 *
 * A name selects every benchmark of this folder whose file name contains it. What is printed is a
 * Markdown table.
 *
 * @module
 */
import { isKept, renderHeader, renderRow, type Row } from "./_report.ts";
import { spawnBench } from "./_child.ts";

const BENCHMARKS = [
  "switch_two",
  "switch_many",
  "channel",
  "queue",
  "semaphore",
  "lock",
  "spawn",
  "timeout",
  "timers",
  "map",
  "sleepers",
  "sleepers_memory",
  "waiters_memory",
  "linear_spawn",
  "linear_event",
  "linear_leaving",
  "linear_timers",
  "linear_queue",
  "tcp_echo",
  "tcp_bulk",
  "lines",
  "udp",
  "pool_calls",
  "pool_latency",
  "pool_transfer",
  "pool_scaling",
  "tcp_echo_fd",
];

const strict = Deno.args.includes("--strict");
const filters = Deno.args.filter((argument) => !argument.startsWith("--"));
const selected = BENCHMARKS.filter((name) =>
  filters.length === 0 || filters.some((filter) => name.includes(filter))
);
if (selected.length === 0) {
  console.error(
    `No benchmark is called ${filters.join(" or ")}; there are ${BENCHMARKS.join(", ")}`,
  );
  Deno.exit(2);
}

let failed = false;
console.log(renderHeader());
for (const name of selected) {
  // Each in a process of its own: what one benchmark teaches the compiler would slow down the next.
  const child = spawnBench(`${name}.ts`);
  for await (const line of child.lines()) {
    const row: Row = JSON.parse(line);
    console.log(renderRow(row));
    if (strict && !isKept(row)) failed = true;
  }
  if (!await child.succeeded()) {
    console.error(`Benchmark ${name} failed`);
    failed = true;
  }
}
Deno.exitCode = failed ? 1 : 0;
