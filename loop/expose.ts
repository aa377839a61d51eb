import { outside } from "./outside.ts";
import { shown } from "./arguments.ts";
import { type Carried, carry } from "./carried_error.ts";
import { RuntimeError } from "./errors.ts";
import type { Scheduler } from "./scheduler.ts";
import { Strand } from "./strand.ts";
import { takeTransfers } from "./transfer.ts";

/** What the calling side sends: a call that gets an answer, or one that may be cancelled by a flag that both see. */
export type Request =
  | [kind: "call", id: number, name: string, args: unknown[]]
  | [kind: "cast", cancelled: Int32Array, name: string, args: unknown[]];

/** What comes back. */
export type Answer = [id: number, returned: true, value: unknown] | [
  id: number,
  returned: false,
  error: Carried,
];

/** Functions that another thread may call, by name. */
export type Exposed = Record<string, (...args: never[]) => unknown>;

/** Starts a task; where there are no tasks, a bare strand. */
let start = (scheduler: Scheduler, target: () => unknown): void => {
  const ended = (_: unknown, failed: boolean, error: unknown): void => {
    if (failed) scheduler.report({ error, message: "Unhandled error in an exposed function" });
  };
  new Strand(scheduler, null, { begin: target, ended }, false).start();
};

/** Has calls that come from another thread run by `spawn`. The layer above calls this, which has tasks. */
export function startCallsBy(spawn: (target: () => unknown) => void): void {
  start = (_, target) => spawn(target);
}

/** The ports of a loop, behind each of which other threads call its functions. */
export class ExposedPorts {
  readonly #scheduler: Scheduler;
  readonly #ports = new Set<ExposedPort>();

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  expose(functions: Exposed): MessagePort {
    checkFunctions(functions);
    const { port1, port2 } = new MessageChannel();
    const { census } = this.#scheduler;
    const exposed = new ExposedPort(this.#scheduler, functions, port1, () => {
      this.#ports.delete(exposed);
      census.listeners--;
      this.#scheduler.check();
    });
    this.#ports.add(exposed);
    census.listeners++;
    this.#scheduler.check();
    return port2;
  }

  /** Closes them: who waits for an answer on the other side gets an error. */
  close(): void {
    for (const port of this.#ports) port.close();
  }
}

class ExposedPort {
  readonly #scheduler: Scheduler;
  readonly #functions: Exposed;
  /** Tells when the other side has closed. */
  readonly #own: MessagePort;
  /** Where the calls come from. */
  #port: MessagePort | null = null;
  readonly #forget: () => void;
  #closed = false;

  constructor(scheduler: Scheduler, functions: Exposed, own: MessagePort, forget: () => void) {
    this.#scheduler = scheduler;
    this.#functions = functions;
    this.#own = own;
    this.#forget = forget;
    outside(() => {
      own.onmessage = ({ data }) => this.#connect(data);
      own.addEventListener("close", () => this.close());
    });
    unref(own);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#own.close();
    this.#port?.close();
    this.#forget();
  }

  /** The other side has sent the port that it calls by. */
  #connect(port: MessagePort): void {
    this.#port = port;
    port.onmessage = ({ data }) => this.#receive(data);
    unref(port);
  }

  #receive([kind, mark, name, args]: Request): void {
    if (this.#scheduler.accepts) {
      outside(() =>
        start(
          this.#scheduler,
          () => kind === "call" ? this.#call(mark, name, args) : this.#cast(mark, name, args),
        )
      );
    } else if (kind === "call") {
      this.#throw(mark, new RuntimeError(`Cannot call ${name}: its loop has ended`));
    }
  }

  async #call(id: number, name: string, args: unknown[]): Promise<void> {
    try {
      this.#return(id, name, await this.#functionNamed(name)(...(args as never[])));
    } catch (error) {
      this.#throw(id, error);
    }
  }

  #cast(cancelled: Int32Array, name: string, args: unknown[]): unknown {
    if (Atomics.load(cancelled, 0) === 1) return;
    return this.#functionNamed(name)(...(args as never[]));
  }

  #functionNamed(name: string): (...args: never[]) => unknown {
    if (Object.hasOwn(this.#functions, name)) return this.#functions[name];
    throw new TypeError(`Cannot call ${name}: the loop exposes no function of that name`);
  }

  #return(id: number, name: string, value: unknown): void {
    try {
      this.#port!.postMessage([id, true, value] satisfies Answer, takeTransfers([value]));
    } catch (cause) {
      const why = (cause as Error).message;
      throw new TypeError(`Cannot send back what ${name} returned: ${why}`, { cause });
    }
  }

  #throw(id: number, error: unknown): void {
    this.#port!.postMessage([id, false, carry(error)] satisfies Answer);
  }
}

/** The loop decides whether the program stays for calls to come. */
function unref(port: MessagePort): void {
  (port as MessagePort & { unref(): void }).unref();
}

function checkFunctions(functions: unknown): asserts functions is Exposed {
  if (typeof functions !== "object" || functions === null) {
    throw new TypeError(
      `Cannot expose: an object of functions by name is needed, not ${shown(functions)}`,
    );
  }
  for (const [name, value] of Object.entries(functions)) {
    if (typeof value !== "function") {
      throw new TypeError(`Cannot expose ${name}: it must be a function, not ${shown(value)}`);
    }
  }
}
