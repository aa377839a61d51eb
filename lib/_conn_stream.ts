import { BaseStream } from "../io/base_stream.ts";
import type { Transport } from "../io/transport.ts";

/** A connection of the platform's as a stream: it has the buffer, and the one read that is under way. */
export class ConnStream extends BaseStream {
  readonly #transport: ConnTransport;

  constructor(conn: Deno.Conn, protected override readonly address: string) {
    super();
    this.#transport = new ConnTransport(conn);
    this.attach(this.#transport);
  }

  /** Whether a read that is under way keeps the program alive. */
  keepAlive(keep: boolean): void {
    this.#transport.keepAlive(keep);
  }
}

class ConnTransport implements Transport {
  readonly #conn: Deno.Conn;
  #kept = true;
  #referenced = true;

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.#conn.read(into);
  }

  write(data: Uint8Array): Promise<number> {
    return this.#conn.write(data);
  }

  closeWrite(): Promise<void> {
    return this.#conn.closeWrite();
  }

  close(): void {
    try {
      this.#conn.close();
    } catch (error) {
      // It has become a TLS connection, and is none itself any more.
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  ref(): void {
    this.#referenced = true;
    this.#refer();
  }

  unref(): void {
    this.#referenced = false;
    this.#refer();
  }

  keepAlive(keep: boolean): void {
    this.#kept = keep;
    this.#refer();
  }

  #refer(): void {
    if (this.#kept && this.#referenced) this.#conn.ref();
    else this.#conn.unref();
  }
}
