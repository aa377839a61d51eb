/**
 * The client's side of a WebSocket written by hand, which can do what no proper client does.
 */
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;

/** A frame that has come. */
export interface Frame {
  readonly opcode: number;
  readonly payload: Uint8Array;
}

/** How a frame is malformed, or one of several. */
export interface FrameOptions {
  /** Whether it is the last of its message. */
  last?: boolean;
  masked?: boolean;
  reserved?: number;
  /** The length that is announced. */
  length?: number;
}

/** A frame as a client sends it. */
export function frame(
  opcode: number,
  data: string | Uint8Array = "",
  { last = true, masked = true, reserved = 0, length }: FrameOptions = {},
): Uint8Array<ArrayBuffer> {
  const payload = typeof data === "string" ? encoder.encode(data) : data;
  const size = length ?? payload.length;
  const head = [(last ? 0x80 : 0) | (reserved << 4) | opcode];
  const mask = masked ? 0x80 : 0;
  if (size < 126) head.push(mask | size);
  else if (size < 65_536) head.push(mask | 126, size >> 8, size & 255);
  else {
    const view = new DataView(new ArrayBuffer(8));
    view.setBigUint64(0, BigInt(size));
    head.push(mask | 127, ...new Uint8Array(view.buffer));
  }
  const key = masked ? [7, 77, 177, 17] : [0, 0, 0, 0];
  if (masked) head.push(...key);
  const bytes = new Uint8Array(head.length + payload.length);
  bytes.set(head);
  for (let i = 0; i < payload.length; i++) bytes[head.length + i] = payload[i] ^ key[i & 3];
  return bytes;
}

/** The payload of a close. */
export function closing(code: number, reason = ""): Uint8Array {
  return new Uint8Array([code >> 8, code & 255, ...encoder.encode(reason)]);
}

/** The code of a close that has come. */
export function codeOf({ opcode, payload }: Frame): number | null {
  return opcode === CLOSE && payload.length >= 2 ? payload[0] * 256 + payload[1] : null;
}

export class RawWebSocket implements Disposable {
  readonly #connection: Deno.TcpConn;
  #received = new Uint8Array(0);
  #closed = false;
  /** What the server has answered. */
  head = "";

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  /** Connects, and asks for a WebSocket. */
  static async open(url: string, headers = ""): Promise<RawWebSocket> {
    const { port, pathname } = new URL(url);
    const raw = new RawWebSocket(
      await Deno.connect({ hostname: "127.0.0.1", port: Number(port) }),
    );
    raw.#connection.setNoDelay(true);
    await raw.write(encoder.encode(
      `GET ${pathname} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n${headers}\r\n`,
    ));
    while (!raw.head.includes("\r\n\r\n")) {
      const byte = await raw.#take(1);
      if (byte === null) throw new Error(`The server has closed: ${raw.head}`);
      raw.head += decoder.decode(byte);
    }
    return raw;
  }

  get address(): string {
    return `127.0.0.1:${this.#connection.localAddr.port}`;
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#connection.write(bytes.subarray(at));
  }

  send(...args: Parameters<typeof frame>): Promise<void> {
    return this.write(frame(...args));
  }

  /** The next frame; `null` when the connection has ended, however it has. */
  async receive(): Promise<Frame | null> {
    const head = await this.#take(2);
    if (head === null) return null;
    let size = head[1] & 127;
    if (size >= 126) {
      const extended = await this.#take(size === 126 ? 2 : 8);
      if (extended === null) return null;
      size = extended.reduce((sum, byte) => sum * 256 + byte, 0);
    }
    const payload = await this.#take(size);
    return payload && { opcode: head[0] & 15, payload };
  }

  /** Says that nothing more comes. */
  async end(): Promise<void> {
    await this.#connection.closeWrite();
  }

  /** Goes, without a word. What was not read makes the system send a reset. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#connection.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #take(size: number): Promise<Uint8Array | null> {
    const chunks = [this.#received];
    let have = this.#received.length;
    while (have < size) {
      const buffer = new Uint8Array(65_536);
      const count = await this.#connection.read(buffer).catch(() => null);
      if (count === null) return null;
      chunks.push(buffer.subarray(0, count));
      have += count;
    }
    const all = new Uint8Array(have);
    let at = 0;
    for (const chunk of chunks) {
      all.set(chunk, at);
      at += chunk.length;
    }
    this.#received = all.slice(size);
    return all.slice(0, size);
  }
}
