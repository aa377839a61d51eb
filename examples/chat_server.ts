/**
 * A chat: what one client writes, all others read. A client that reads too slowly is put out, so that it holds up
 * nobody.
 *
 * Run it with `deno run --allow-net examples/chat_server.ts [port]`, then `nc 127.0.0.1 1234` in several terminals.
 * Ctrl-C ends it.
 *
 * @module
 */
import {
  BufferLimitError,
  EventLoop,
  spawn,
  StreamError,
  type TcpConnection,
  TcpServer,
} from "@evergreen/evergreen";

const MAX_LINE = 1_000;
const MAX_WAITING = 262_144;

class ChatServer extends TcpServer {
  readonly #names = new Map<TcpConnection, string>();

  override async handleConnection(connection: TcpConnection): Promise<void> {
    connection.maxBufferSize = MAX_LINE;
    await connection.write("Your name? ");
    const lines = connection.lines();
    try {
      const name = (await lines.next()).value?.trim();
      if (!name) return;
      this.#names.set(connection, name);
      this.#tell(`* ${name} has come, ${this.#names.size} are here`);
      for await (const line of lines) this.#tell(`${name}: ${line}`, connection);
    } catch (error) {
      // A client that breaks off, or writes lines without end, has left.
      if (!(error instanceof StreamError)) throw error;
      if (error instanceof BufferLimitError) await connection.write("* Too long a line\n");
    } finally {
      const name = this.#names.get(connection);
      if (this.#names.delete(connection)) this.#tell(`* ${name} has left`);
    }
  }

  /** Nobody waits here: what a client does not take at once is kept for it, up to a limit. */
  #tell(line: string, except?: TcpConnection): void {
    for (const connection of this.#names.keys()) {
      if (connection === except || connection.closed) continue;
      if (connection.buffered > MAX_WAITING) this.#putOut(connection);
      else spawn(() => connection.write(`${line}\n`).catch(ignoreFailure));
    }
  }

  #putOut(connection: TcpConnection): void {
    console.log(`${this.#names.get(connection)} reads too slowly`);
    connection.close();
  }
}

function ignoreFailure(error: unknown): void {
  if (!(error instanceof StreamError)) throw error;
}

const server = new ChatServer();
try {
  server.bind({ hostname: "127.0.0.1", port: Number(Deno.args[0] ?? 1234) });
} catch (error) {
  console.error((error as Error).message);
  Deno.exit(1);
}
console.log(`listening on ${server.sockname.hostname}:${server.sockname.port}`);
const loop = EventLoop.current();
loop.addSignalHandler("SIGINT", () => server.close());
spawn(() => server.serve());
await loop.run();
console.log("bye");
