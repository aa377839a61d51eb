/** Who expects something of the platform before the macrotask is over, and is told if it did not come. */
export interface Expectant {
  overdue(): void;
}

/** Those who expect something at this moment: nearly always one at the most. */
export class Expectants {
  #all: Expectant[] = [];

  get size(): number {
    return this.#all.length;
  }

  add(who: Expectant): void {
    this.#all.push(who);
  }

  /** What `who` expected has come. */
  remove(who: Expectant): void {
    const all = this.#all;
    if (all[all.length - 1] === who) all.pop();
    else this.#all = all.filter((other) => other !== who);
  }

  /** Tells all that it has not come. */
  tell(): void {
    for (const who of this.#all.splice(0)) who.overdue();
  }
}
