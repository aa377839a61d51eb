import { LoopAlarm } from "./loop_alarm.ts";
import { Census } from "./census.ts";
import { type Clock, systemClock } from "./clock.ts";
import { describeDeadlock } from "./deadlock.ts";
import { Descriptors } from "./descriptors.ts";
import { RuntimeError } from "./errors.ts";
import { watchForTheEnd } from "./last_words.ts";
import { type Expectant, Expectants } from "./expectants.ts";
import { type ExceptionContext, report } from "./exceptions.ts";
import { type EventLoopOptions, reactorOfEnvironment } from "./loop_options.ts";
import { seededChoice } from "./random.ts";
import { type Ready, readyQueue } from "./ready.ts";
import type { Ring } from "./ring.ts";
import { Strand } from "./strand.ts";
import { type Due, Timers } from "./timers.ts";
import { Pace, Turns } from "./turns.ts";
import { inWorker } from "./worker.ts";
import { OUTSIDE } from "./wait.ts";

/** How many entries may run before the platform has its turn with I/O and timers, if their time is not over before. */
const BURST = 1024;
/** How many microtasks the holder of the baton may take before a macrotask looks whether it waits elsewhere. */
const HOPS = 8;

type Phase = "new" | "serving" | "running" | "forever" | "ended" | "destroyed";

/**
 * Runs what is ready, one at a time, in order.
 *
 * A strand that is resumed holds the baton until it blocks or ends; nobody else is resumed meanwhile. It
 * runs in microtasks, and when it gives the baton up the next one is resumed in that same step. So a switch
 * costs one promise, and a burst of switches no macrotask.
 *
 * A holder that awaits a foreign promise does not say so. But then the microtask queue runs empty, so a
 * macrotask that finds the baton held knows, and takes it. Looking for that costs a macrotask, and only a
 * burst that lasts longer than a few microtasks pays for one. That macrotask is also the next burst's start:
 * the platform polls I/O and timers before it.
 */
export class Scheduler {
  static #current: Scheduler | null = null;

  readonly census = new Census();
  readonly timers = new Timers();
  /** The raw descriptors that are watched. */
  readonly descriptors: Descriptors = new Descriptors(this);
  /** Who expects something before the next macrotask. Who holds the baton keeps it till then. */
  readonly expectants = new Expectants();
  readonly clock: Clock;
  /** Draws one of `n`; `null` without a seed: the first is taken. */
  readonly choose: ((n: number) => number) | null;
  /** The strand of the code outside every task. */
  readonly main: Strand = new Strand(this, null, null, false);
  /** The `EventLoop` that stands before it, once somebody has asked for it. */
  face: unknown = null;
  onException: ((context: ExceptionContext) => void) | null = null;

  readonly reactor: "deno" | "fd";
  readonly #onDeadlock: "throw" | "return";
  readonly #ready: Ring<Ready>;
  #phase: Phase = "new";
  #active = false;
  #outcome: PromiseWithResolvers<void> | null = null;
  #holder: Strand | null = null;
  #draining = false;
  #drainQueued = false;
  #watching = false;
  #hops = 0;
  #burst = 0;
  readonly #pace = new Pace();
  readonly #turns = new Turns(() => this.#turn());
  readonly #alarm = new LoopAlarm(() => {
    if (!this.#watching) this.#turn(); // Else a turn comes anyway, and looks at the timers.
  });

  constructor(options: EventLoopOptions) {
    this.clock = options.clock ?? systemClock;
    this.choose = options.seed === undefined ? null : seededChoice(options.seed);
    this.reactor = options.reactor ?? reactorOfEnvironment();
    this.#onDeadlock = options.onDeadlock ?? "throw";
    this.#ready = readyQueue(this.choose);
  }

  /** The scheduler of this thread; made on demand on the main thread. */
  static current(): Scheduler {
    return Scheduler.#current ?? Scheduler.#demand();
  }

  /** Makes the scheduler of this thread. */
  static create(options: EventLoopOptions): Scheduler {
    if (Scheduler.#current !== null) {
      throw new RuntimeError(
        "Cannot make an event loop: this thread has one already (EventLoop.current()); destroy() it first",
      );
    }
    return Scheduler.#current = new Scheduler(options);
  }

  static #demand(): Scheduler {
    if (inWorker()) {
      throw new RuntimeError(
        "Cannot get the event loop: a Worker has none until it makes one with new EventLoop()",
      );
    }
    return Scheduler.create({});
  }

  /** Whether what is started now may still run. */
  get accepts(): boolean {
    // Who stopped the loop goes on to its next blocking call, and may still start tasks, which do not run.
    return this.#phase !== "destroyed" && (this.#phase !== "ended" || this.#holder !== null);
  }

  /** Whether it has ever run anything. */
  get started(): boolean {
    return this.#phase !== "new";
  }

  /** Whether nobody wants to hear of tasks that are left: the loop has ended, or was told that this may be. */
  get silent(): boolean {
    return this.#phase === "ended" || this.#onDeadlock === "return";
  }

  get destroyed(): boolean {
    return this.#phase === "destroyed";
  }

  /** Whether the loop runs what becomes ready. */
  get active(): boolean {
    return this.#active;
  }

  /** `strand` has been started. */
  add(strand: Strand): void {
    watchForTheEnd(() => Scheduler.#current);
    this.census.add(strand);
  }

  timerAt(when: number, due: Due): void {
    this.timers.add(when, due);
    // The alarm is set when the loop has nothing else to do. If it is idle now, that is now.
    this.check();
  }

  timerIn(delay: number, due: Due): void {
    this.timerAt(this.clock.time() + delay, due);
  }

  cancelTimer(due: Due): void {
    this.timers.cancel(due);
    if (this.#alarm.isSet && this.timers.live === 0) this.check();
  }

  /** Something is ready: it will run when its turn comes. */
  enqueue(entry: Ready): void {
    this.#ready.push(entry);
    if (this.#holder !== null || this.#draining) return;
    if (this.census.foreign > 0) this.#welcome();
    if (!this.#watching) this.check();
    else this.#queueDrain();
  }

  /** Tells `who` in the next macrotask, unless it is taken out of the {@linkcode expectants}. */
  expect(who: Expectant): void {
    this.expectants.add(who);
    if (!this.#watching) this.#watch();
  }

  /** What is ready has to wait for the platform's next turn, and so for all microtasks. */
  endBurst(): void {
    this.#burst = BURST;
  }

  /** What keeps the loop going may have changed. */
  check(): void {
    if (!this.#watching && this.#active) this.#watch();
  }

  /** `strand` blocks, or has ended. If it held the baton, the next one gets it. */
  released(strand: Strand): void {
    if (this.#holder === strand) {
      this.#holder = null;
      if (!this.#draining) this.#advance();
    } else {
      if (strand.foreign) this.census.home(strand);
      if (!this.#active && strand === this.main) this.#serve();
      this.check();
    }
  }

  run(forever: boolean): Promise<void> {
    if (Strand.current(this) !== this.main) {
      throw new RuntimeError(
        "Cannot run the loop: a task of it is calling, so it is running already",
      );
    }
    switch (this.#phase) {
      case "running":
      case "forever":
        throw new RuntimeError("Cannot run the loop: it is running already");
      case "ended":
      case "destroyed":
        throw new RuntimeError(
          "Cannot run the loop: it has ended, and a loop runs only once; destroy() it and make a new one",
        );
    }
    this.#phase = forever ? "forever" : "running";
    this.#active = true;
    this.#outcome = Promise.withResolvers();
    this.check();
    return this.#outcome.promise;
  }

  stop(): void {
    if (this.#phase === "new") {
      throw new RuntimeError("Cannot stop the loop: it has not been started");
    }
    if (this.#active) this.#end();
  }

  destroy(): void {
    if (this.#phase === "destroyed") {
      throw new RuntimeError("Cannot destroy the loop: it has been destroyed already");
    }
    if (this.#outcome !== null && this.#active) {
      throw new RuntimeError("Cannot destroy the loop: it is running; stop() it first");
    }
    if (this.#active) this.#end();
    this.#phase = "destroyed";
    for (const strand of this.census.strands()) strand.drop();
    this.timers.clear();
    this.descriptors.clear();
    Scheduler.#current = null;
  }

  /** Gives an error that nobody caught to the exception handler. */
  report(context: ExceptionContext): void {
    report(context, this.onException);
  }

  /** If the code that runs is of a strand that has come back from a foreign promise, it gets the baton again. */
  #welcome(): void {
    const strand = Strand.current(this);
    if (!strand.foreign) return;
    this.census.home(strand);
    this.#holder = strand;
  }

  /** Serves the code outside every task, which made a blocking call. */
  #serve(): void {
    if (this.#phase === "new") {
      this.#phase = "serving";
      this.#active = true;
    } else {
      // Not in this step: the call that waits has not joined its line yet.
      queueMicrotask(() =>
        this.#refuseMain("the event loop has ended; destroy() it and make a new one")
      );
    }
  }

  /** Resumes the next strand, if it is one: in the very step in which the last one gave up the baton. */
  #advance(): void {
    if (this.#burst >= BURST || !this.#active) return;
    const next = this.#ready.peek();
    if (next === undefined) return;
    if (next.strand === null || next.strand.ended) return this.#queueDrain();
    this.#ready.shift();
    this.#resume(next);
  }

  #resume(entry: Ready): void {
    if (++this.#burst === this.#pace.look && this.#pace.isOver()) this.#burst = BURST;
    this.#holder = entry.strand;
    entry.run();
  }

  #queueDrain(): void {
    if (this.#drainQueued) return;
    this.#drainQueued = true;
    queueMicrotask(this.#drain);
  }

  /** Runs what is ready until somebody holds the baton. */
  readonly #drain = (): void => {
    this.#drainQueued = false;
    if (this.#holder !== null || this.#draining) return;
    this.#draining = true;
    try {
      while (this.#holder === null && this.#burst < BURST && this.#active) {
        const entry = this.#ready.shift();
        if (entry === undefined) break;
        if (!entry.strand?.ended) this.#resume(entry);
      }
    } finally {
      this.#draining = false;
    }
  };

  #watch(): void {
    this.#watching = true;
    if (this.clock.virtual) this.#alarm.clear(); // It would move the time while somebody can run.
    this.#hops = 0;
    queueMicrotask(this.#hop);
  }

  /** Looks, between microtasks, whether the burst is over. */
  readonly #hop = (): void => {
    this.#drain();
    if (this.#alarm.isSet && this.timers.live === 0) this.#alarm.clear();
    const idle = this.#holder === null && (this.#ready.size === 0 || !this.#active);
    if (idle && this.expectants.size === 0) {
      this.#watching = false;
      this.#burst = 0;
      this.#pace.begin();
      this.#turns.rest();
      this.#park();
    } else if (++this.#hops < HOPS && this.#burst < BURST) {
      queueMicrotask(this.#hop);
    } else {
      this.#turns.next(this.census.outside);
    }
  };

  /** A macrotask: no microtask is left. Whoever holds the baton now awaits a foreign promise. */
  readonly #turn = (): void => {
    this.#burst = 0;
    this.#pace.begin();
    if (this.expectants.size > 0) {
      this.expectants.tell();
      return this.#watch();
    }
    if (this.#holder !== null && this.#holder !== this.main) this.census.abroad(this.#holder);
    this.#holder = null;
    if (!this.#active) {
      this.#watching = false;
      return;
    }
    if (this.timers.live > 0) this.timers.fire(this.clock.time());
    if (this.#onlyDaemonsLeft()) this.#end();
    this.#watch();
  };

  /** Nothing is ready and nobody runs: what now? */
  #park(): void {
    if (!this.#active) return this.#alarm.clear();
    const { census, timers } = this;
    if (timers.live > 0) {
      timers.fire(this.clock.time());
      if (this.#ready.size > 0) return this.#watch();
    }
    const waiting = census.tasks > 0 || this.main.blocked;
    const going = waiting || timers.keeping > 0 || census.holds > 0;
    if (this.#phase === "running" && !going) return this.#end();
    if (timers.live === 0 && !census.hopeful) {
      if (this.#phase === "running" || (this.#phase === "serving" && this.main.blocked)) {
        return this.#deadlock();
      }
    }
    const still = this.clock.virtual && (census.foreign > 0 || census.waits[OUTSIDE] > 0);
    const when = timers.live === 0 || still ? Infinity : timers.next();
    // The platform stays for neither of these, nor for a timer that never comes: a distant alarm makes it.
    const stay = this.#phase === "forever" || (census.listeners > 0 && waiting);
    const alarmed = stay || (timers.live > 0 && !this.clock.virtual);
    this.#alarm.set(when, this.clock, alarmed, stay || going);
  }

  /** Whether `run()` is over though daemons may be ready. */
  #onlyDaemonsLeft(): boolean {
    return this.#phase === "running" && this.census.tasks === 0 && !this.main.blocked &&
      this.timers.keeping === 0 && this.census.holds === 0 &&
      !this.#ready.some((entry) => !entry.strand?.daemon);
  }

  #end(error?: unknown): void {
    const outcome = this.#outcome;
    this.#phase = "ended";
    this.#active = false;
    this.#alarm.clear();
    if (this.main.blocked) this.#refuseMain("the event loop was stopped", error);
    if (error === undefined) outcome?.resolve();
    else outcome?.reject(error);
  }

  /** Ends what the code outside every task waits in: no loop will. */
  #refuseMain(why: string, error?: unknown): void {
    this.main.refuse(error ?? new RuntimeError(`Cannot wait: ${why}`));
  }

  #deadlock(): void {
    if (this.#onDeadlock === "return" && this.#phase === "running") return this.#end();
    this.#watching = true; // Nothing else happens until the places are found.
    describeDeadlock(this, (error) => {
      this.#watching = false;
      this.#end(error);
    });
  }
}
