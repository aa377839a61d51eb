// Lines of 100 bytes out of the same data in memory, in pieces of 64 KiB.
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { TextLineStream } from "npm:deno-std@1.4.0/streams/text_line_stream.js";
import { BaseStream } from "../io/mod.ts";
import { compare, median, time } from "./_measure.ts";
import { report } from "./_report.ts";

const LINES = 200_000;
const line = new TextEncoder().encode("x".repeat(99) + "\n");
const data = new Uint8Array(LINES * 100);
for (let i = 0; i < LINES; i++) data.set(line, i * 100);

function source(): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= data.length) return controller.close();
      controller.enqueue(data.slice(at, at += 65_536));
    },
  });
}

async function counted(lines: AsyncIterable<unknown>): Promise<void> {
  let count = 0;
  for await (const _ of lines) count++;
  if (count !== LINES) throw new Error(`${count} lines`);
}

async function readUntil(): Promise<void> {
  const stream = BaseStream.from(source());
  let count = 0;
  while (await stream.readUntil("\n") !== null) count++;
  if (count !== LINES) throw new Error(`${count} lines`);
}

/** What a call for each line takes that returns bytes, before it has looked for any: a view of them, and a promise. */
async function viewsAndPromises(): Promise<void> {
  for (let at = 0; at < data.length; at += 100) {
    await Promise.resolve(new Uint8Array(data.buffer, at, 100));
  }
}

const textLines = () =>
  counted(
    source().pipeThrough(new TextDecoderStream() as unknown as TransformStream<Uint8Array, string>)
      .pipeThrough(new TextLineStream()),
  );
const nodeLines = () => counted(createInterface({ input: Readable.from(source()) }));
const ours = () => counted(BaseStream.from(source()).lines());

const options = { operations: LINES, rounds: 7, warmUp: 2 };
report({
  operation: '`readUntil("\\n")`, lines of 100 bytes, to `TextLineStream` of Deno std',
  ...await compare(readUntil, textLines, options),
  unit: "ns",
  bound: { kind: "at most", limit: 1 },
});
report({
  operation: "`lines()`, lines of 100 bytes, to `TextLineStream` of Deno std",
  ...await compare(ours, textLines, options),
  unit: "ns",
  bound: { kind: "at most", limit: 1 },
});
report({
  operation: '`readUntil("\\n")`, lines of 100 bytes, to a view and a promise each',
  ...await compare(readUntil, viewsAndPromises, options),
  unit: "ns",
});
const readline: number[] = [];
const until: number[] = [];
for (let round = -1; round < 5; round++) {
  const theirs = await time(nodeLines, LINES);
  const mine = await time(readUntil, LINES);
  if (round < 0) continue;
  readline.push(theirs);
  until.push(mine);
}
report({
  operation: '`readUntil("\\n")`, lines of 100 bytes, to `readline` of Node on Deno',
  ours: median(until),
  floor: median(readline),
  unit: "ns",
  bound: { kind: "at most", limit: 0.33 },
});
