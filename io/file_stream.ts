import { fileURLToPath } from "node:url";
import { shown } from "../loop/arguments.ts";
import { cooperate } from "../loop/event_loop.ts";
import { checkpoint, type WaitOptions } from "../loop/wait.ts";
import { BaseStream } from "./base_stream.ts";
import { failureOf } from "./_failure.ts";
import { checkSize } from "./_size.ts";
import { FileError, type StreamError, type StreamErrorOptions } from "./stream_error.ts";
import type { Transport } from "./transport.ts";

/** How {@linkcode openFile} opens: the platform's options, and what limits a blocking call. */
export type FileOptions = Deno.OpenOptions & WaitOptions;

/**
 * Opens a file, by default for reading.
 *
 * @throws {FileError} If that is not possible.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { openFile } from "@evergreen/evergreen";
 *
 * const path = await Deno.makeTempFile();
 * await using file = await openFile(path, { read: true, write: true });
 * await file.write("one\ntwo\n");
 * await file.seek(0, Deno.SeekMode.Start);
 * assertEquals(await Array.fromAsync(file.lines()), ["one", "two"]);
 * await Deno.remove(path);
 * ```
 */
export async function openFile(path: string | URL, options: FileOptions = {}): Promise<FileStream> {
  const { timeout, signal, ...how } = options;
  const limits = { timeout, signal };
  await checkpoint(limits);
  const name = path instanceof URL ? fileURLToPath(path) : path;
  const opening = opened(name, Object.keys(how).length > 0 ? how : undefined);
  try {
    return new FileStream(await cooperate(opening, limits), name);
  } catch (error) {
    // It may have been given up in the moment in which the file was open.
    opening.then((file) => file.close(), () => {});
    throw error;
  }
}

async function opened(path: string, how?: Deno.OpenOptions): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path, how);
  } catch (cause) {
    const { why, ...details } = failureOf(cause, path);
    throw new FileError(`Cannot open ${path}: ${why}`, details);
  }
}

/** A file, as a stream. It has one place, where the next read or write begins. */
export class FileStream extends BaseStream {
  readonly #file: Deno.FsFile;
  readonly #path: string;

  /** Made by {@linkcode openFile}. */
  constructor(file: Deno.FsFile, path: string) {
    super();
    this.#file = file;
    this.#path = path;
    this.attach(new FileTransport(file));
  }

  /** The path it was opened by. */
  get path(): string {
    return this.#path;
  }

  /** Writes where the last read has ended, whatever was read ahead; see {@linkcode BaseStream.prototype.write}. */
  override write(data: string | Uint8Array, options?: WaitOptions): Promise<boolean> {
    const refused = this.check("write to", options);
    if (refused !== undefined) return refused;
    try {
      this.#rewind();
    } catch (cause) {
      return Promise.reject(this.fault("write to", cause));
    }
    return super.write(data, options);
  }

  /**
   * Goes to another place. What was written is written before.
   *
   * @param offset In bytes, from what `whence` says; `Deno.SeekMode.Current` is where the last read has ended.
   * @returns The new place, from the start.
   * @throws {FileError} If the file is closed, or has no such place.
   */
  seek(
    offset: number | bigint,
    whence: Deno.SeekMode = Deno.SeekMode.Start,
    options?: WaitOptions,
  ): Promise<number> {
    return this.#do("seek in", options, () => {
      if (whence === Deno.SeekMode.Start && offset < 0) {
        throw this.refuse("seek in", `${offset} is before the start`, "EINVAL");
      }
      this.#rewind();
      return this.#file.seek(offset, whence);
    }, typeof offset === "bigint" ? undefined : () => checkInteger("seek", offset));
  }

  /** Cuts it off, or fills it up with zeros, to that many bytes. */
  truncate(length = 0, options?: WaitOptions): Promise<void> {
    return this.#do(
      "truncate",
      options,
      () => this.#file.truncate(length),
      () => checkSize("truncate", length, 0),
    );
  }

  /** What the system knows about it. */
  stat(options?: WaitOptions): Promise<Deno.FileInfo> {
    return this.#do("stat", options, () => this.#file.stat());
  }

  /** Waits until what was written is on the disk. */
  sync(options?: WaitOptions): Promise<void> {
    return this.#do("sync", options, () => this.#file.sync());
  }

  /** What messages call it. */
  protected override get address(): string {
    return this.#path;
  }

  /** Makes a {@linkcode FileError}. */
  protected override makeError(message: string, options: StreamErrorOptions): StreamError {
    return new FileError(message, options);
  }

  /** Gives back what was read ahead. */
  #rewind(): void {
    const ahead = this.forget();
    if (ahead > 0) this.#file.seekSync(-ahead, Deno.SeekMode.Current);
  }

  async #do<T>(
    what: string,
    options: WaitOptions | undefined,
    act: () => Promise<T>,
    checkArguments?: () => void,
  ): Promise<T> {
    await this.check(what, options);
    checkArguments?.();
    await this.settle(options);
    return await cooperate(this.#acting(what, act), options);
  }

  /** What the platform throws is an error of the file's; what ends the wait is not. */
  async #acting<T>(what: string, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (cause) {
      if (cause instanceof FileError) throw cause;
      throw this.closed
        ? this.refuse(what, "the file was closed", "ECLOSED")
        : this.fault(what, cause);
    }
  }
}

class FileTransport implements Transport {
  readonly #file: Deno.FsFile;

  constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.#file.read(into);
  }

  write(data: Uint8Array): Promise<number> {
    return this.#file.write(data);
  }

  closeWrite(): void {}

  close(): void {
    this.#file.close();
  }

  // A read of a file ends by itself.
  ref(): void {}
  unref(): void {}
}

/** Throws unless `offset` is a place, as a number. */
function checkInteger(what: string, offset: unknown): void {
  if (typeof offset !== "number") {
    throw new TypeError(`Cannot ${what}: the offset must be a number, not ${shown(offset)}`);
  }
  if (!Number.isSafeInteger(offset)) {
    throw new RangeError(`Cannot ${what}: the offset must be an integer, not ${offset}`);
  }
}
