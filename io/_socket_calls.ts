const MAC = Deno.build.os === "darwin";

const SYMBOLS = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  listen: { parameters: ["i32", "i32"], result: "i32" },
  // Where there is no accept4(), its flags are not looked at.
  accept: {
    name: MAC ? "accept" : "accept4",
    parameters: ["i32", "pointer", "pointer", "i32"],
    result: "i32",
  },
  // A third quicker than with results of type "isize", for which a number has to be made. None is beyond 31 bits.
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  shutdown: { parameters: ["i32", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  // Of a function with any number of arguments, those without a name are on the stack on a Mac with an ARM processor,
  // and in the next registers elsewhere. As the third and as the ninth of nine, an argument is in both places.
  fcntl: {
    parameters: ["i32", "i32", "i64", "i64", "i64", "i64", "i64", "i64", "i64"],
    result: "i32",
  },
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
  SO_NOSIGPIPE: MAC ? 0x1022 : 0,
  /** What has a write fail, and not end the program, when the other side is gone; or there is the option above. */
  NOSIGNAL: MAC ? 0 : 0x4000,
  NONBLOCK: MAC ? 0x4 : 0o4000,
  /** What has a new socket not block and not be inherited; 0 where that has to be said afterwards. */
  SOCKET_FLAGS: MAC ? 0 : 0o4000 | 0o2000000,
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
  readonly #received = new Length();
  readonly #sent = new Length();

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

  /** Reads what is there into `into`: how many bytes, less than zero if that fails. */
  receive(fd: number, into: Uint8Array): number {
    const size = this.#received.of(into);
    return this.call.recv(fd, into as Uint8Array<ArrayBuffer>, size, 0);
  }

  /** Writes what goes of `data`: how many bytes, less than zero if that fails. */
  send(fd: number, data: Uint8Array): number {
    const size = this.#sent.of(data);
    return this.call.send(fd, data as Uint8Array<ArrayBuffer>, size, system.NOSIGNAL);
  }

  setOption(fd: number, level: number, option: number, value: number): number {
    return this.call.setsockopt(fd, level, option, new Int32Array([value]), 4);
  }

  /** Sets flags of a descriptor. */
  control(fd: number, command: number, flags: number): number {
    return this.call.fcntl(fd, command, BigInt(flags), 0n, 0n, 0n, 0n, 0n, BigInt(flags));
  }

  unload(): void {
    this.#library.close();
  }
}

/** The length of something as the system wants it. To make a bigint takes longer than to see that it is the same. */
class Length {
  #length = 0;
  #size = 0n;

  of({ length }: Uint8Array): bigint {
    if (length !== this.#length) {
      this.#length = length;
      this.#size = BigInt(length);
    }
    return this.#size;
  }
}
