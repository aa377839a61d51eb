import { Event, type TcpConnection, TcpServer } from "../../mod.ts";

/** A server that speaks enough of a database's protocol for its clients. */
export abstract class StandIn extends TcpServer {
  /** Set when a client has sent a command that is never answered. */
  readonly blocked = new Event();
  /** Set when a client has gone. */
  readonly gone = new Event();

  override async handleConnection(connection: TcpConnection): Promise<void> {
    try {
      await this.converse(connection);
    } finally {
      this.gone.set();
    }
  }

  /** Speaks with a client until it goes. */
  protected abstract converse(connection: TcpConnection): Promise<void>;
}

/** Redis: `GET` gives "value", `BLPOP` is never answered, and all else is "OK". */
export class RedisStandIn extends StandIn {
  protected async converse(connection: TcpConnection): Promise<void> {
    const line = async (): Promise<string | null> => {
      const bytes = await connection.readUntil("\r\n").catch(() => null);
      return bytes === null ? null : new TextDecoder().decode(bytes).trimEnd();
    };
    for (let head = await line(); head !== null; head = await line()) {
      const words: string[] = [];
      for (let left = Number(head.slice(1)); left > 0; left--) {
        await line();
        words.push((await line())!.toLowerCase());
      }
      if (words[0] === "get") await connection.write("$5\r\nvalue\r\n");
      else if (words[0] === "blpop") this.blocked.set();
      else await connection.write("+OK\r\n");
    }
  }
}

/** PostgreSQL: a query gives one row with "value", but one that has to do with sleep is never answered. */
export class PostgresStandIn extends StandIn {
  protected async converse(connection: TcpConnection): Promise<void> {
    const startup = await connection.readBytes(4);
    await connection.readBytes(numberIn(startup!) - 4);
    await connection.write(join(message("R", [0, 0, 0, 0]), READY));
    while (true) {
      const head = await connection.readBytes(5);
      if (head === null || head.length < 5) return;
      const body = new TextDecoder().decode(
        (await connection.readBytes(numberIn(head.subarray(1)) - 4))!,
      );
      const kind = String.fromCharCode(head[0]);
      if (kind === "X") return;
      if (body.includes("sleep")) this.blocked.set();
      else if (kind === "Q") await connection.write(join(...ROW, READY));
    }
  }
}

function numberIn(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
}

function join(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

function message(kind: string, body: number[]): Uint8Array {
  const bytes = new Uint8Array(5 + body.length);
  bytes[0] = kind.charCodeAt(0);
  new DataView(bytes.buffer).setUint32(1, 4 + body.length);
  bytes.set(body, 5);
  return bytes;
}

function text(value: string): number[] {
  return [...new TextEncoder().encode(value)];
}

const READY = message("Z", text("I"));
/** One column "answer" of text, and one row. */
const ROW = [
  message("T", [
    ...[0, 1, ...text("answer"), 0, 0, 0, 0, 0, 0, 0],
    ...[0, 0, 0, 25, 255, 255, 255, 255, 255, 255, 0, 0],
  ]),
  message("D", [0, 1, 0, 0, 0, 5, ...text("value")]),
  message("C", [...text("SELECT 1"), 0]),
];
