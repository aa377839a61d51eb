/** Raw descriptors for tests, made through the system's C library. */
const NONBLOCK = Deno.build.os === "darwin" ? 0x4 : 0o4000;
const LIBRARY = Deno.build.os === "darwin" ? "libSystem.B.dylib" : "libc.so.6";

/** The system's calls; to be disposed, or the sanitizers complain. */
export class RawSystem implements Disposable {
  readonly #library = Deno.dlopen(LIBRARY, {
    pipe: { parameters: ["buffer"], result: "i32" },
    socketpair: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
    fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
    dup: { parameters: ["i32"], result: "i32" },
    read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
    write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
    close: { parameters: ["i32"], result: "i32" },
  });
  readonly #open = new Set<number>();

  /** The two ends of a new pipe, the one to read from first. */
  pipe(): [number, number] {
    return this.#pair((ends) => this.#library.symbols.pipe(ends));
  }

  /** The two ends of a new connection, which are alike. */
  socketPair(): [number, number] {
    return this.#pair((ends) => this.#library.symbols.socketpair(1, 1, 0, ends));
  }

  duplicate(fd: number): number {
    const copy = this.#library.symbols.dup(fd);
    this.#open.add(copy);
    return copy;
  }

  /** What can be read at once as text, "" at the end, `null` if nothing can. */
  read(fd: number, max = 100): string | null {
    const buffer = new Uint8Array(max);
    const count = Number(this.#library.symbols.read(fd, buffer, BigInt(max)));
    return count < 0 ? null : new TextDecoder().decode(buffer.subarray(0, count));
  }

  /** Writes what goes. Returns how many bytes did, less than zero if none can. */
  write(fd: number, data: string | Uint8Array<ArrayBuffer>): number {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    return Number(this.#library.symbols.write(fd, bytes, BigInt(bytes.length)));
  }

  close(fd: number): void {
    this.#open.delete(fd);
    this.#library.symbols.close(fd);
  }

  [Symbol.dispose](): void {
    for (const fd of this.#open) this.#library.symbols.close(fd);
    this.#library.close();
  }

  #pair(make: (ends: Int32Array<ArrayBuffer>) => number): [number, number] {
    const ends = new Int32Array(2);
    if (make(ends) !== 0) throw new Error("No descriptors are left");
    for (const fd of ends) {
      this.#library.symbols.fcntl(fd, 4, NONBLOCK);
      this.#open.add(fd);
    }
    return [ends[0], ends[1]];
  }
}
