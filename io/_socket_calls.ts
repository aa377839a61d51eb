const MAC = Deno.build.os === "darwin";

const SYMBOLS = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  listen: { parameters: ["i32", "i32"], result: "i32" },
  accept: { parameters: ["i32", "pointer", "pointer"], result: "i32" },
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  shutdown: { parameters: ["i32", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getpeername: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  errno: { name: MAC ? "__error" : "__errno_location", parameters: [], result: "pointer" },
} as const satisfies Deno.ForeignLibraryInterface;

/** The numbers of the system that differ, and what must be known of it besides. */
export const system = {
  IPV6: MAC ? 30 : 10,
  SOL_SOCKET: MAC ? 0xffff : 1,
  SO_ERROR: MAC ? 0x1007 : 4,
  SO_REUSEADDR: MAC ? 4 : 2,
  SO_KEEPALIVE: MAC ? 8 : 9,
  NOSIGNAL: MAC ? 0x80000 : 0x4000,
  NONBLOCK: MAC ? 0x4 : 0o4000,
  CLOEXEC: MAC ? 0 : 0o2000000,
  EAGAIN: MAC ? 35 : 11,
  EINPROGRESS: MAC ? 36 : 115,
  EINTR: 4,
  ECONNABORTED: MAC ? 53 : 103,
  EPIPE: 32,
  /** Whether a socket address begins with its length. */
  lengthFirst: MAC,
};

/** The system's socket calls, as they are: loaded while there are sockets. */
export class SocketCalls {
  readonly #library = Deno.dlopen(MAC ? "libSystem.B.dylib" : "libc.so.6", SYMBOLS);
  readonly #errno = new Int32Array(
    Deno.UnsafePointerView.getArrayBuffer(this.#library.symbols.errno()!, 4),
  );
  /** The calls. */
  readonly call = this.#library.symbols;

  /** The number of the error of the last call. */
  get errno(): number {
    return this.#errno[0];
  }

  /** Reads an option of a socket that is a number. */
  getOption(fd: number, level: number, option: number): number {
    const value = new Int32Array(1);
    this.call.getsockopt(fd, level, option, value, new Uint32Array([4]));
    return value[0];
  }

  setOption(fd: number, level: number, option: number, value: number): number {
    return this.call.setsockopt(fd, level, option, new Int32Array([value]), 4);
  }

  unload(): void {
    this.#library.close();
  }
}
