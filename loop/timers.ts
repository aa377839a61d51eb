/** What waits for a time: somebody who is told when it is due. It is in at most one place of one heap. */
export interface Due {
  /** Whether it is still to be told. For {@linkcode Timers} to write. */
  armed: boolean;
  /**
   * Whether only daemons wait for it, or a task that keeps `run()` going anyway. Changed by
   * {@linkcode Timers.prototype.place} only while it is armed.
   */
  background: boolean;
  due(): void;
}

/** Calls a function when it is due. Keeps no `run()` going. */
export class Alarm implements Due {
  armed = false;
  background = true;

  constructor(readonly due: () => void) {}
}

/**
 * The timers of a loop: a heap by time, then by order of creation. Each place has
 * four below it: half the levels of a binary heap, and the four lie side by side.
 *
 * Cancelled ones stay until they reach the top. Nearly every timeout is cancelled long before it is due, and
 * looking for each in the middle would make cancelling O(n) where marking it is O(1); when they are the majority,
 * one pass throws them all out.
 */
export class Timers {
  // The keys stand in arrays of their own: comparing two does not touch what they belong to.
  #when: number[] = [];
  #sequence: number[] = [];
  #due: Due[] = [];
  #created = 0;
  #live = 0;
  #background = 0;

  /** How many will be told. */
  get live(): number {
    return this.#live;
  }

  /** How many will be told that are not in the background. */
  get keeping(): number {
    return this.#live - this.#background;
  }

  add(when: number, due: Due): void {
    due.armed = true;
    this.#live++;
    if (due.background) this.#background++;
    this.#up(this.#due.length, when, this.#created++, due);
  }

  cancel(due: Due): void {
    if (!due.armed) return;
    this.#disarm(due);
    const size = this.#due.length;
    if (this.#live === 0) this.#resize(0);
    else if (size > 64 && size > 2 * this.#live) this.#compact();
  }

  /** Puts it in the background, or takes it out of there. */
  place(due: Due, background: boolean): void {
    if (due.armed && due.background !== background) this.#background += background ? 1 : -1;
    due.background = background;
  }

  /** When the first is due, `Infinity` if there is none. */
  next(): number {
    while (this.#due.length > 0 && !this.#due[0].armed) this.#pop();
    return this.#due.length > 0 ? this.#when[0] : Infinity;
  }

  /** Tells all that are due at `now`, in order. */
  fire(now: number): void {
    while (this.#live > 0 && this.next() <= now) {
      const due = this.#pop();
      this.#disarm(due);
      due.due();
    }
  }

  clear(): void {
    for (const due of this.#due) due.armed = false;
    this.#resize(0);
    this.#live = this.#background = 0;
  }

  #disarm(due: Due): void {
    due.armed = false;
    this.#live--;
    if (due.background) this.#background--;
  }

  #pop(): Due {
    const top = this.#due[0];
    const when = this.#when.pop()!;
    const sequence = this.#sequence.pop()!;
    const due = this.#due.pop()!;
    if (this.#due.length > 0) this.#down(0, when, sequence, due);
    return top;
  }

  #compact(): void {
    let kept = 0;
    for (let i = 0; i < this.#due.length; i++) {
      if (this.#due[i].armed) this.#put(kept++, this.#when[i], this.#sequence[i], this.#due[i]);
    }
    this.#resize(kept);
    for (let i = (kept - 2) >> 2; i >= 0; i--) {
      this.#down(i, this.#when[i], this.#sequence[i], this.#due[i]);
    }
  }

  #resize(size: number): void {
    this.#when.length = this.#sequence.length = this.#due.length = size;
  }

  #put(index: number, when: number, sequence: number, due: Due): void {
    this.#when[index] = when;
    this.#sequence[index] = sequence;
    this.#due[index] = due;
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#when[from], this.#sequence[from], this.#due[from]);
  }

  /** Whether what stands at `index` comes after what is given. */
  #after(index: number, when: number, sequence: number): boolean {
    const other = this.#when[index];
    return other > when || (other === when && this.#sequence[index] > sequence);
  }

  /** Puts what is given at `index`, or above it. */
  #up(index: number, when: number, sequence: number, due: Due): void {
    while (index > 0) {
      const parent = (index - 1) >> 2;
      if (!this.#after(parent, when, sequence)) break;
      this.#move(parent, index);
      index = parent;
    }
    this.#put(index, when, sequence, due);
  }

  /** Puts what is given at `index`, or below it. */
  #down(index: number, when: number, sequence: number, due: Due): void {
    const size = this.#due.length;
    while (true) {
      const children = 4 * index + 1;
      if (children >= size) break;
      let first = children;
      for (let child = children + 1; child < children + 4 && child < size; child++) {
        if (this.#after(first, this.#when[child], this.#sequence[child])) first = child;
      }
      if (this.#after(first, when, sequence)) break;
      this.#move(first, index);
      index = first;
    }
    this.#put(index, when, sequence, due);
  }
}
