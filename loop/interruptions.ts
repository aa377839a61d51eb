import { TaskExit } from "./errors.ts";
import { reapTaskExits } from "./rejections.ts";
import type { Strand } from "./strand.ts";

/** Where in a strand something was begun: inside how many shields, and after which scopes. */
export interface Level {
  readonly shields: number;
  readonly scopes: number;
}

/** The level of a strand as a whole. */
export const GROUND: Level = { shields: 0, scopes: 0 };

/** A part of a strand that is told when an error is thrown into the strand from outside that part. */
export interface Scope {
  /** The error arrives at the strand's next blocking call at the latest. */
  interrupted(error: unknown): void;
}

/** An error that waits for its strand's next blocking call. */
export interface Pending {
  readonly error: unknown;
  readonly level: Level;
}

/** How many errors are pending, of all strands: nearly always 0, which is quick to see. */
let pendingOfAll = 0;

/** Whether any strand has an error pending. */
export function anyPending(): boolean {
  return pendingOfAll > 0;
}

/**
 * What is thrown into a strand from outside (kills, timeouts, aborts), and what holds that off or wants to know of
 * it. Most strands never have one of these.
 */
export class Interruptions {
  readonly #strand: Strand;
  #pending: Pending[] = [];
  #shields = 0;
  #scopes: { scope: Scope; level: Level }[] = [];
  #scopesOpened = 0;
  /** What was thrown and has not arrived: the strand has not been resumed since. */
  #flying: unknown = undefined;

  constructor(strand: Strand) {
    this.#strand = strand;
  }

  get shields(): number {
    return this.#shields;
  }

  throw(error: unknown, level: Level): void {
    if (error instanceof TaskExit) {
      // One that has not arrived yet ends the task as well, and a second one would only hit its cleanup.
      if (this.#flying instanceof TaskExit) return;
      if (this.#pending.some((pending) => pending.error instanceof TaskExit)) return;
      reapTaskExits();
    }
    for (const { scope, level: inner } of this.#scopes.toReversed()) {
      if (inner.scopes > level.scopes && inner.shields <= level.shields) scope.interrupted(error);
    }
    if (this.#shields <= level.shields && this.#interrupt(error)) {
      this.#flying = error;
    } else {
      this.#pending.push({ error, level });
      pendingOfAll++;
    }
  }

  /** Takes back what was thrown. Returns whether it had not arrived anywhere yet. */
  revoke(error: unknown): boolean {
    const index = this.#pending.findIndex((pending) => pending.error === error);
    if (index >= 0) this.#unpend(index);
    return index >= 0;
  }

  /** What the next blocking call must throw, taken out. */
  take(): Pending | null {
    const index = this.#pending.findIndex((pending) => this.#shields <= pending.level.shields);
    return index >= 0 ? this.#unpend(index) : null;
  }

  /** The strand is resumed. */
  arrive(): void {
    this.#flying = undefined;
  }

  /** The strand has ended: nothing arrives any more. */
  clear(): void {
    pendingOfAll -= this.#pending.length;
    this.#pending = [];
  }

  shield(): void {
    this.#shields++;
  }

  unshield(): void {
    this.#shields--;
  }

  level(): Level {
    return { shields: this.#shields, scopes: this.#scopesOpened };
  }

  open(scope: Scope): Level {
    this.#scopesOpened++;
    const level = this.level();
    this.#scopes.push({ scope, level });
    return level;
  }

  close(scope: Scope): void {
    this.#scopes = this.#scopes.filter((open) => open.scope !== scope);
  }

  /** Throws it out of every call that the strand waits in. Returns whether there is one. */
  #interrupt(error: unknown): boolean {
    let arrived = false;
    for (const wait of this.#strand.waits()) {
      if (wait.interrupt(error)) arrived = true;
    }
    return arrived;
  }

  #unpend(index: number): Pending {
    pendingOfAll--;
    return this.#pending.splice(index, 1)[0];
  }
}
