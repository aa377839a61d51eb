/**
 * The table of everything a task can wait for, for the laws that hold for all of it.
 */
import {
  BoundedSemaphore,
  Channel,
  Condition,
  Empty,
  Event,
  Full,
  Future,
  LifoQueue,
  Lock,
  PriorityQueue,
  Queue,
  RLock,
  select,
  Semaphore,
  spawn,
  TaskGroup,
  TimeoutError,
  type WaitOptions,
} from "../../mod.ts";

/** One blocking method, and how to make it succeed. */
export interface BlockingCall {
  readonly name: string;
  /** What a wait gives when its time has passed: `false`, or an error of this class. */
  // deno-lint-ignore no-explicit-any
  readonly late: false | (new (...args: any[]) => Error);
  /** Whom one wake-up serves: one waiter, all of them, or one, which then serves the next. */
  readonly serves: "one" | "all" | "chain";
  /** The wake-up is kept if nobody waits yet. */
  readonly keeps: boolean;
  /** The wake-up reaches its waiter by way of another task, which has to run first. */
  readonly indirect?: boolean;
  /** The maker's task owns it, and would not wait for itself. */
  readonly owned?: boolean;
  /** Something nobody can be served with until `wake` is called; made in a task. */
  make(): Waited | Promise<Waited>;
}

/** What one row of the table waits on. */
export interface Waited {
  /** The call; it may do what is needed before and after, as long as that does not block. */
  wait(options?: WaitOptions): Promise<unknown>;
  /** Lets the first waiter through, or the next to come; does not yield. From the maker's task. */
  wake(): void;
}

type Lockish = Semaphore | RLock | Condition;

/** The three ways of taking a lock. */
function lockRows(
  name: string,
  make: () => Lockish,
  owned = false,
): BlockingCall[] {
  const held = () => {
    const lock = make();
    if (!lock.tryAcquire()) throw new Error("A new lock could not be had");
    return lock;
  };
  return [
    {
      name: `${name}.acquire()`,
      late: false,
      serves: "chain",
      keeps: true,
      owned,
      make() {
        const lock = held();
        return {
          async wait(options) {
            const got = await lock.acquire(options);
            if (got) lock.release();
            return got;
          },
          wake: () => lock.release(),
        };
      },
    },
    {
      name: `${name}.with()`,
      late: TimeoutError,
      serves: "chain",
      keeps: true,
      owned,
      make() {
        const lock = held();
        return {
          wait: (options) => lock.with(() => "within", options),
          wake: () => lock.release(),
        };
      },
    },
    {
      name: `${name}.hold()`,
      late: TimeoutError,
      serves: "chain",
      keeps: true,
      owned,
      make() {
        const lock = held();
        return {
          async wait(options) {
            using _held = await lock.hold(options);
          },
          wake: () => lock.release(),
        };
      },
    },
  ];
}

function queueRows(
  name: string,
  make: (maxsize?: number) => Queue<number>,
): BlockingCall[] {
  return [
    {
      name: `${name}.get()`,
      late: Empty,
      serves: "one",
      keeps: true,
      make() {
        const queue = make();
        let item = 0;
        return {
          wait: (options) => queue.get(options),
          wake: () => queue.putNowait(item++),
        };
      },
    },
    {
      name: `${name}.put()`,
      late: Full,
      serves: "one",
      keeps: true,
      make() {
        const queue = make(1);
        queue.putNowait(0);
        return {
          wait: (options) => queue.put(1, options),
          wake: () => void queue.getNowait(),
        };
      },
    },
    {
      name: `${name}.join()`,
      late: false,
      serves: "all",
      keeps: true,
      make() {
        const queue = make();
        queue.putNowait(0);
        return {
          wait: (options) => queue.join(options),
          wake: () => queue.taskDone(),
        };
      },
    },
    {
      name: `select() on ${name}.getting()`,
      late: TimeoutError,
      serves: "one",
      keeps: true,
      make() {
        const queue = make();
        return {
          wait: (options) => select({ got: queue.getting() }, options),
          wake: () => queue.putNowait(0),
        };
      },
    },
    {
      name: `select() on ${name}.putting()`,
      late: TimeoutError,
      serves: "one",
      keeps: true,
      make() {
        const queue = make(1);
        queue.putNowait(0);
        return {
          wait: (options) => select({ put: queue.putting(1) }, options),
          wake: () => void queue.getNowait(),
        };
      },
    },
  ];
}

function futureRow(
  name: string,
  call: (future: Future<number>, options?: WaitOptions) => Promise<unknown>,
): BlockingCall {
  return {
    name,
    late: TimeoutError,
    serves: "all",
    keeps: true,
    make() {
      const future = new Future<number>();
      return {
        wait: (options) => call(future, options),
        wake: () => void (future.done || future.setResult(1)),
      };
    },
  };
}

/** A row that waits under `condition`'s lock, and is woken by a notification. */
function conditionRow(
  name: string,
  call: (
    condition: Condition,
    options: WaitOptions | undefined,
    tokens: { left: number },
  ) => Promise<boolean>,
): BlockingCall {
  return {
    name,
    late: false,
    serves: "one",
    keeps: false,
    make() {
      const condition = new Condition();
      const tokens = { left: 0 };
      return {
        wait: (options) => condition.with(() => call(condition, options, tokens)),
        wake() {
          if (!condition.tryAcquire()) {
            throw new Error("The lock of the condition is taken");
          }
          tokens.left++;
          condition.notify();
          condition.release();
        },
      };
    },
  };
}

/** A row of {@linkcode Channel}, which needs a partner for its wake-up. */
function channelRow(
  name: string,
  call: (channel: Channel<number>, options?: WaitOptions) => Promise<unknown>,
  partner: (channel: Channel<number>) => unknown,
): BlockingCall {
  return {
    name,
    late: TimeoutError,
    serves: "one",
    keeps: true,
    make() {
      const channel = new Channel<number>();
      return {
        wait: (options) => call(channel, options),
        wake: () => void partner(channel),
      };
    },
  };
}

export const BLOCKING_CALLS: readonly BlockingCall[] = [
  ...lockRows("Semaphore", () => new Semaphore()),
  ...lockRows("BoundedSemaphore", () => new BoundedSemaphore()),
  ...lockRows("Lock", () => new Lock()),
  ...lockRows("RLock", () => new RLock(), true),
  ...lockRows("Condition", () => new Condition(), true),
  conditionRow(
    "Condition.wait()",
    (condition, options) => condition.wait(options),
  ),
  conditionRow("Condition.waitFor()", async (condition, options, tokens) => {
    const got = await condition.waitFor(() => tokens.left > 0, options);
    if (got) tokens.left--;
    return got;
  }),
  ...queueRows("Queue", (maxsize) => new Queue(maxsize)),
  ...queueRows("LifoQueue", (maxsize) => new LifoQueue(maxsize)),
  ...queueRows("PriorityQueue", (maxsize) => new PriorityQueue(maxsize)),
  channelRow(
    "Channel.receive()",
    (channel, options) => channel.receive(options),
    (channel) => channel.trySend(1) || channel.send(1),
  ),
  channelRow(
    "Channel.send()",
    (channel, options) => channel.send(1, options),
    (channel) => channel.tryReceive() || channel.receive(),
  ),
  channelRow(
    "select() on Channel.receiving()",
    (channel, options) => select({ got: channel.receiving() }, options),
    (channel) => channel.trySend(1) || channel.send(1),
  ),
  channelRow(
    "select() on Channel.sending()",
    (channel, options) => select({ sent: channel.sending(1) }, options),
    (channel) => channel.tryReceive() || channel.receive(),
  ),
  {
    name: "Event.wait()",
    late: false,
    serves: "all",
    keeps: true,
    make() {
      const event = new Event();
      return {
        wait: (options) => event.wait(options),
        wake: () => event.set(),
      };
    },
  },
  {
    name: "select() on Event.waiting()",
    late: TimeoutError,
    serves: "all",
    keeps: true,
    make() {
      const event = new Event();
      return {
        wait: (options) => select({ set: event.waiting() }, options),
        wake: () => event.set(),
      };
    },
  },
  futureRow("Future.get()", (future, options) => future.get(options)),
  futureRow(
    "select() on Future.getting()",
    (future, options) => select({ got: future.getting() }, options),
  ),
  {
    name: "Task.join()",
    late: false,
    serves: "all",
    keeps: true,
    indirect: true,
    make() {
      const end = new Event();
      const task = spawn(() => end.wait());
      return { wait: (options) => task.join(options), wake: () => end.set() };
    },
  },
  {
    name: "select() on Task.joining()",
    late: TimeoutError,
    serves: "all",
    keeps: true,
    indirect: true,
    make() {
      const end = new Event();
      const task = spawn(() => end.wait());
      return {
        wait: (options) => select({ ended: task.joining() }, options),
        wake: () => end.set(),
      };
    },
  },
  {
    name: "TaskGroup.join()",
    late: false,
    serves: "all",
    keeps: true,
    indirect: true,
    make() {
      const end = new Event();
      const group = new TaskGroup();
      group.spawn(() => end.wait());
      return { wait: (options) => group.join(options), wake: () => end.set() };
    },
  },
];
