// Clients of databases, from npm, run in tasks and killed in the middle of a command.
import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { importPatched, sleep, spawn, TaskExit, Timeout } from "../../mod.ts";
import { errorOf, runLoop, valueOf, witness } from "../run_loop.ts";
import { runProgram } from "../run_program.ts";
import { PostgresStandIn, RedisStandIn, type StandIn } from "./_stand_ins.ts";

/** What is done with a client here. */
interface Session {
  /** Asks for something whose answer is "value". */
  ask(): Promise<string>;
  /** Asks for something that is not answered. */
  block(): Promise<unknown>;
  end(): unknown;
}

interface Client {
  readonly name: string;
  readonly database: "Redis" | "PostgreSQL";
  connect(port: number): Promise<Session>;
}

// deno-lint-ignore no-explicit-any
type Any = any;

const clients: readonly Client[] = [
  {
    name: "ioredis",
    database: "Redis",
    async connect(port) {
      const { default: Redis } = await importPatched<Any>("npm:ioredis@5.4.2");
      const redis = new Redis(port, "127.0.0.1", { enableReadyCheck: false, retryStrategy: null });
      redis.on("error", () => {});
      return {
        ask: () => redis.get("key"),
        block: () => redis.blpop("list", 0),
        end: () => redis.disconnect(),
      };
    },
  },
  {
    name: "redis",
    database: "Redis",
    async connect(port) {
      const { createClient } = await importPatched<Any>("npm:redis@4.7.0");
      const redis = createClient({
        socket: { host: "127.0.0.1", port, reconnectStrategy: false },
      });
      redis.on("error", () => {});
      await redis.connect();
      return {
        ask: () => redis.get("key"),
        block: () => redis.blPop("list", 0),
        end: () => redis.disconnect(),
      };
    },
  },
  {
    name: "pg",
    database: "PostgreSQL",
    async connect(port) {
      const { default: pg } = await importPatched<Any>("npm:pg@8.13.1");
      const client = new pg.Client({ host: "127.0.0.1", port, user: "user", database: "data" });
      client.on("error", () => {});
      await client.connect();
      return {
        ask: async () => (await client.query("SELECT 'value' AS answer")).rows[0].answer,
        block: () => client.query("SELECT pg_sleep(1000)"),
        end: () => client.end(),
      };
    },
  },
];

function standInFor({ database }: Client): StandIn {
  return database === "Redis" ? new RedisStandIn() : new PostgresStandIn();
}

for (const client of clients) {
  Deno.test(`${client.name}: a command is answered; one that blocks is killed and timed out, with its socket`, () =>
    runLoop(async () => {
      for (const end of ["kill", "timeout"]) {
        const server = standInFor(client);
        server.bind({ hostname: "127.0.0.1", port: 0 });
        const serving = spawn(() => server.serve());
        try {
          const timeout = new Timeout(end === "timeout" ? 200 : null);
          const seen = witness(() =>
            timeout.run(async () => {
              const session = await client.connect(server.sockname.port);
              assertEquals(await session.ask(), "value");
              await session.block(); // And does nothing to close what it has.
            })
          );
          await server.blocked.wait({ timeout: 60_000 });
          if (end === "kill") seen.task.kill();
          assert(await seen.task.join());
          if (end === "kill") assertInstanceOf(errorOf(seen), TaskExit);
          else assertStrictEquals(errorOf(seen), timeout);
          assert(await server.gone.wait({ timeout: 60_000 }));
        } finally {
          server.close();
        }
        await serving.join();
      }
    }, { clock: undefined }));
}

Deno.test("a program whose task was killed in the middle of a command ends by itself, and clean", async () => {
  const { code, stdout, stderr } = await runProgram(`
    import { importPatched, spawn } from "./mod.ts";
    import { RedisStandIn } from "./tests/patcher/_stand_ins.ts";

    const server = new RedisStandIn();
    server.bind({ hostname: "127.0.0.1", port: 0 });
    spawn(() => server.serve());
    const { default: Redis } = await importPatched("npm:ioredis@5.4.2");
    const task = spawn(async () => {
      const redis = new Redis(server.sockname.port, "127.0.0.1", { retryStrategy: null });
      redis.on("error", () => {});
      await redis.blpop("list", 0);
    });
    await server.blocked.wait();
    task.kill();
    await task.join();
    await server.gone.wait();
    server.close();
    console.log("done");
  `);
  assertEquals({ code, stdout, stderr }, { code: 0, stdout: "done\n", stderr: "" });
});

const hasRedis = await isInstalled("redis-server");

Deno.test({
  name:
    "clients of a real Redis: answered, killed in the middle, and as good as new in the next task",
  ignore: !hasRedis,
  fn: () =>
    withRedis((port) =>
      runLoop(async () => {
        for (const client of clients.filter(({ database }) => database === "Redis")) {
          const blocked = witness(async () => {
            const session = await client.connect(port);
            try {
              await session.block();
            } finally {
              await session.end();
            }
          });
          await sleep(100);
          blocked.task.kill();
          assert(await blocked.task.join());
          const next = witness(async () => {
            const session = await client.connect(port);
            try {
              return await session.ask();
            } finally {
              await session.end();
            }
          });
          await next.task.join();
          assertEquals(valueOf(next), null as never, client.name);
        }
      }, { clock: undefined })
    ),
});

async function isInstalled(program: string): Promise<boolean> {
  try {
    return (await new Deno.Command(program, { args: ["--version"] }).output()).success;
  } catch {
    return false;
  }
}

/** Runs `body` with a real server, which has nothing in it. */
async function withRedis(body: (port: number) => Promise<unknown>): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const process = new Deno.Command("redis-server", {
    args: ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  try {
    for await (const line of process.stdout.pipeThrough(new TextDecoderStream())) {
      if (line.includes("Ready to accept connections")) break;
    }
    await body(port);
  } finally {
    process.kill();
    await process.status;
  }
}
