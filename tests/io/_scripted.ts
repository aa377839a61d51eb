import { BaseStream, type Transport } from "../../mod.ts";

/** A transport that brings what it is told, piece by piece, and keeps what it is given. */
export class Script implements Transport {
  /** What was written, in one piece each. */
  readonly written: Uint8Array[] = [];
  /** How many bytes it takes at once; 0: it takes none until {@linkcode Script.prototype.take}. */
  room = Infinity;
  closed = false;
  writeSideClosed = false;
  referenced = true;
  /** How many reads of the platform were begun. */
  reads = 0;
  readonly #pieces: (Uint8Array | null | Error)[] = [];
  #waiting: { into: Uint8Array; done: PromiseWithResolvers<number | null> } | null = null;
  #blocked: { data: Uint8Array; done: PromiseWithResolvers<number> } | null = null;

  /** Whether a read is under way. */
  get reading(): boolean {
    return this.#waiting !== null;
  }

  /** Brings pieces; `null` is the end. */
  bring(...pieces: (string | Uint8Array | null | Error)[]): this {
    for (const piece of pieces) {
      this.#pieces.push(typeof piece === "string" ? new TextEncoder().encode(piece) : piece);
    }
    const waiting = this.#waiting;
    if (waiting !== null && this.#pieces.length > 0) {
      this.#waiting = null;
      try {
        waiting.done.resolve(this.#next(waiting.into));
      } catch (error) {
        waiting.done.reject(error);
      }
    }
    return this;
  }

  /** Takes what it was given, `room` at once. */
  take(): void {
    const blocked = this.#blocked;
    this.#blocked = null;
    blocked?.done.resolve(this.#accept(blocked.data));
  }

  /** Fails the write that is under way. */
  fail(error: Error): void {
    this.#blocked?.done.reject(error);
    this.#blocked = null;
  }

  get text(): string {
    return this.written.map((piece) => new TextDecoder().decode(piece)).join("");
  }

  read(into: Uint8Array): number | null | Promise<number | null> {
    this.reads++;
    if (this.#waiting !== null) throw new Error("Two reads are under way");
    if (this.#pieces.length > 0) return this.#next(into);
    const done = Promise.withResolvers<number | null>();
    this.#waiting = { into, done };
    return done.promise;
  }

  write(data: Uint8Array): number | Promise<number> {
    if (this.#blocked !== null) throw new Error("Two writes are under way");
    if (this.room > 0) return this.#accept(data);
    const done = Promise.withResolvers<number>();
    this.#blocked = { data, done };
    return done.promise;
  }

  closeWrite(): void {
    this.writeSideClosed = true;
  }

  close(): void {
    this.closed = true;
    this.#waiting?.done.reject(new Deno.errors.Interrupted("operation canceled"));
    this.#blocked?.done.reject(new Deno.errors.Interrupted("operation canceled"));
  }

  ref(): void {
    this.referenced = true;
  }

  unref(): void {
    this.referenced = false;
  }

  #next(into: Uint8Array): number | null {
    const piece = this.#pieces.shift()!;
    if (piece instanceof Error) throw piece;
    if (piece === null) return null;
    const count = Math.min(piece.length, into.length);
    into.set(piece.subarray(0, count));
    if (count < piece.length) this.#pieces.unshift(piece.subarray(count));
    return count;
  }

  #accept(data: Uint8Array): number {
    const count = Math.min(data.length, this.room === 0 ? Infinity : this.room);
    this.written.push(data.slice(0, count));
    return count;
  }
}

/** A stream on any transport. */
export class ScriptedStream extends BaseStream {
  constructor(transport: Transport) {
    super();
    this.attach(transport);
  }

  protected override get address(): string {
    return "a script";
  }
}

/** A stream that brings these pieces. */
export function scripted(
  ...pieces: (string | Uint8Array | null | Error)[]
): { stream: ScriptedStream; script: Script } {
  const script = new Script().bring(...pieces);
  return { stream: new ScriptedStream(script), script };
}

/** Bytes as text; null stays null. */
export function text(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : new TextDecoder().decode(bytes);
}
