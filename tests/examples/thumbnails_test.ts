import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../../", import.meta.url);

/** Writes a picture whose left half is black and whose right half is white. */
async function writePicture(path: string, width: number, height: number): Promise<void> {
  const header = new TextEncoder().encode(`P6\n${width} ${height}\n255\n`);
  const bytes = new Uint8Array(header.length + width * height * 3);
  bytes.set(header);
  for (let y = 0; y < height; y++) {
    const row = header.length + y * width * 3;
    bytes.fill(255, row + width / 2 * 3, row + width * 3);
  }
  await Deno.writeFile(path, bytes);
}

/** The example as it is, and with its one line changed. */
async function withExample(
  kind: string,
  body: (example: string, folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const path = new URL("examples/thumbnails.ts", ROOT);
    let source = await Deno.readTextFile(path);
    if (kind === "processes") {
      source = source.replace("ThreadPoolExecutor as Pool,", "ProcessPoolExecutor as Pool,");
    }
    // It stands in another folder, and means the same.
    source = source.replaceAll(/"\.\/thumbnail\.ts"/g, `"${new URL("thumbnail.ts", path)}"`);
    const example = `${folder}/thumbnails.ts`;
    await Deno.writeTextFile(example, source);
    await Deno.mkdir(`${folder}/in`);
    await body(example, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function run(example: string, folder: string): Deno.ChildProcess {
  const config = new URL("deno.json", ROOT).pathname;
  return new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--no-check", "--allow-all", "--config", config, example],
      ...[`${folder}/in`, `${folder}/out`, "32"],
    ],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

for (const kind of ["threads", "processes"]) {
  Deno.test(`examples/thumbnails.ts makes thumbnails in ${kind}, and says what it cannot read`, () =>
    withExample(kind, async (example, folder) => {
      for (const n of [1, 2, 3]) await writePicture(`${folder}/in/${n}.ppm`, 320, 160);
      await Deno.writeTextFile(`${folder}/in/broken.ppm`, "not a picture");
      const { code, stdout, stderr } = await run(example, folder).output();
      const [printed, complaints] = [stdout, stderr].map((each) => new TextDecoder().decode(each));
      assertEquals(code, 0, complaints);
      assert(printed.endsWith("3 of 4 thumbnails made\n"), printed);
      assert(printed.includes("########"), printed);
      assert(complaints.includes("broken.ppm: TypeError"), complaints);
      const small = await Deno.readFile(`${folder}/out/1.ppm`);
      const header = "P6\n32 16\n255\n";
      assertEquals(new TextDecoder().decode(small.subarray(0, header.length)), header);
      assertEquals([small.length, small[header.length]], [header.length + 32 * 16 * 3, 0]);
      assertEquals(small.at(-1), 255);
    }));

  Deno.test(`examples/thumbnails.ts in ${kind} stops on Ctrl-C`, () =>
    withExample(kind, async (example, folder) => {
      for (const n of Array(8).keys()) await writePicture(`${folder}/in/${n}.ppm`, 6400, 4800);
      const child = run(example, folder);
      let printed = "";
      for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
        if (printed === "") child.kill("SIGINT"); // It has begun.
        printed += chunk;
      }
      await child.stderr.cancel();
      assertEquals((await child.status).code, 0);
      assert(/Stopped\. \d of 8 thumbnails made\n$/.test(printed), printed);
    }));
}
