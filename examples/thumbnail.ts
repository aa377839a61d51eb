/** What `thumbnails.ts` has done in other threads or processes: making a small picture of a large one. */
import type { Reporter } from "@evergreen/evergreen";

/** A picture: three bytes for each pixel. */
interface Picture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/**
 * Reads a picture in the format PPM, and writes one whose longer side has `size` pixels.
 *
 * @param progress Is sent the part that is done, from 0 to 1.
 * @returns How many bytes were written.
 */
export async function makeThumbnail(
  source: string,
  target: string,
  size: number,
  progress: Reporter<number>,
): Promise<number> {
  const large = parse(await Deno.readFile(source));
  const small = shrink(large, size, progress);
  const header = new TextEncoder().encode(`P6\n${small.width} ${small.height}\n255\n`);
  const bytes = new Uint8Array(header.length + small.pixels.length);
  bytes.set(header);
  bytes.set(small.pixels, header.length);
  await Deno.writeFile(target, bytes);
  return bytes.length;
}

function parse(bytes: Uint8Array): Picture {
  const start = new TextDecoder("latin1").decode(bytes.subarray(0, 64));
  const match = start.match(/^P6\s+(\d+)\s+(\d+)\s+255\s/);
  if (match === null) throw new TypeError("The file is no PPM picture with 8 bits a color");
  const [width, height] = [Number(match[1]), Number(match[2])];
  return { width, height, pixels: bytes.subarray(match[0].length) };
}

/** Each pixel of the small picture is the mean of those that it stands for. */
function shrink(large: Picture, size: number, progress: Reporter<number>): Picture {
  const scale = Math.max(large.width, large.height) / size;
  const width = Math.max(1, Math.round(large.width / scale));
  const height = Math.max(1, Math.round(large.height / scale));
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const [top, bottom] = range(y, height, large.height);
    for (let x = 0; x < width; x++) {
      const [left, right] = range(x, width, large.width);
      const sums = [0, 0, 0];
      for (let row = top; row < bottom; row++) {
        for (let column = left; column < right; column++) {
          const at = (row * large.width + column) * 3;
          for (let color = 0; color < 3; color++) sums[color] += large.pixels[at + color];
        }
      }
      const count = (bottom - top) * (right - left);
      for (let color = 0; color < 3; color++) {
        pixels[(y * width + x) * 3 + color] = sums[color] / count;
      }
    }
    progress.send((y + 1) / height);
  }
  return { width, height, pixels };
}

function range(index: number, of: number, length: number): [from: number, to: number] {
  const from = Math.floor(index * length / of);
  return [from, Math.max(from + 1, Math.floor((index + 1) * length / of))];
}
