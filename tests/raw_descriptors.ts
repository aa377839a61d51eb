/** Raw descriptors for tests, made through the system's C library. */
const NONBLOCK = Deno.build.os === "darwin" ? 0x4 : 0o4000;
const LIBRARY = Deno.build.os === "darwin" ? "libSystem.B.dylib" : "libc.so.6";

const NO_CONTROLLING_TERMINAL = Deno.build.os === "darwin" ? 0x20000 : 0o400;
const READ_WRITE = 2;

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
    open: { parameters: ["buffer", "i32"], result: "i32" },
    posix_openpt: { parameters: ["i32"], result: "i32" },
    grantpt: { parameters: ["i32"], result: "i32" },
    unlockpt: { parameters: ["i32"], result: "i32" },
    ptsname: { parameters: ["i32"], result: "pointer" },
    tcgetattr: { parameters: ["i32", "buffer"], result: "i32" },
    cfmakeraw: { parameters: ["buffer"], result: "void" },
    tcsetattr: { parameters: ["i32", "i32", "buffer"], result: "i32" },
  });
  readonly #open = new Set<number>();

  /**
   * The two ends of a new pipe, the one to read from first.
   *
   * @param blocking Whether a call waits, as it does at the ends that a shell gives to a program.
   */
  pipe(blocking = false): [number, number] {
    return this.#pair((ends) => this.#library.symbols.pipe(ends), blocking);
  }

  /** The two sides of a new terminal, the program's first. Bytes go through it as they are. */
  terminal(): [number, number] {
    const { posix_openpt, grantpt, unlockpt, ptsname, open } = this.#library.symbols;
    const { tcgetattr, cfmakeraw, tcsetattr } = this.#library.symbols;
    const master = posix_openpt(READ_WRITE | NO_CONTROLLING_TERMINAL);
    if (grantpt(master) !== 0 || unlockpt(master) !== 0) throw new Error("No terminals are left");
    const path = Deno.UnsafePointerView.getCString(ptsname(master)!);
    const slave = open(
      new TextEncoder().encode(`${path}\0`),
      READ_WRITE | NO_CONTROLLING_TERMINAL,
    );
    const modes = new Uint8Array(128);
    tcgetattr(slave, modes);
    cfmakeraw(modes);
    tcsetattr(slave, 0, modes);
    this.#library.symbols.fcntl(master, 4, NONBLOCK);
    for (const fd of [slave, master]) this.#open.add(fd);
    return [slave, master];
  }

  /** Gives a descriptor away: somebody else closes it. */
  release(fd: number): number {
    this.#open.delete(fd);
    return fd;
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

  /** Reads what is there into `into`. Returns how many bytes that were, less than zero if none can be read. */
  readInto(fd: number, into: Uint8Array<ArrayBuffer>): number {
    return Number(this.#library.symbols.read(fd, into, BigInt(into.length)));
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

  #pair(
    make: (ends: Int32Array<ArrayBuffer>) => number,
    blocking = false,
  ): [number, number] {
    const ends = new Int32Array(2);
    if (make(ends) !== 0) throw new Error("No descriptors are left");
    for (const fd of ends) {
      if (!blocking) this.#library.symbols.fcntl(fd, 4, NONBLOCK);
      this.#open.add(fd);
    }
    return [ends[0], ends[1]];
  }
}
