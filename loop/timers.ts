/** Who is told when a timer is due. */
export interface Due {
  due(): void;
}

/** One timer of a {@linkcode Timers}. A cancelled or finished one has no target. */
export class Timer {
  target: Due | null;

  constructor(
    readonly when: number,
    readonly sequence: number,
    target: Due,
    /** Whether only daemons wait for it, so that it keeps no `run()` going. */
    readonly background: boolean,
  ) {
    this.target = target;
  }
}

/**
 * The timers of a loop: a binary heap by time, then by order of creation.
 *
 * Cancelled timers stay until they reach the top. Nearly every timeout is cancelled long before it is
 * due, and looking for each in the middle would make cancelling O(n) where marking it is O(1); when they
 * are the majority, one pass throws them all out.
 */
export class Timers {
  #heap: Timer[] = [];
  #sequence = 0;
  #live = 0;
  #background = 0;

  /** How many timers will fire. */
  get live(): number {
    return this.#live;
  }

  /** How many timers will fire that somebody besides daemons waits for. */
  get keeping(): number {
    return this.#live - this.#background;
  }

  add(when: number, target: Due, background: boolean): Timer {
    const timer = new Timer(when, this.#sequence++, target, background);
    this.#live++;
    if (background) this.#background++;
    this.#heap.push(timer);
    this.#up(this.#heap.length - 1);
    return timer;
  }

  cancel(timer: Timer): void {
    if (timer.target === null) return;
    this.#retire(timer);
    if (this.#live === 0) {
      this.#heap.length = 0;
    } else if (this.#heap.length > 64 && this.#heap.length > 2 * this.#live) {
      this.#compact();
    }
  }

  /** When the first timer is due, `Infinity` if there is none. */
  next(): number {
    const heap = this.#heap;
    while (heap.length > 0 && heap[0].target === null) this.#pop();
    return heap.length > 0 ? heap[0].when : Infinity;
  }

  /** Tells all that are due at `now`, in order. */
  fire(now: number): void {
    while (this.next() <= now && this.#live > 0) {
      const timer = this.#pop();
      const target = timer.target!;
      this.#retire(timer);
      target.due();
    }
  }

  clear(): void {
    for (const timer of this.#heap) timer.target = null;
    this.#heap.length = this.#live = this.#background = 0;
  }

  #retire(timer: Timer): void {
    timer.target = null;
    this.#live--;
    if (timer.background) this.#background--;
  }

  #pop(): Timer {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop()!;
    if (heap.length > 0) {
      heap[0] = last;
      this.#down(0);
    }
    return top;
  }

  #compact(): void {
    this.#heap = this.#heap.filter((timer) => timer.target !== null);
    for (let i = (this.#heap.length >> 1) - 1; i >= 0; i--) this.#down(i);
  }

  #up(index: number): void {
    const heap = this.#heap;
    const timer = heap[index];
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!before(timer, heap[parent])) break;
      heap[index] = heap[parent];
      index = parent;
    }
    heap[index] = timer;
  }

  #down(index: number): void {
    const heap = this.#heap;
    const timer = heap[index];
    const size = heap.length;
    while (true) {
      let child = 2 * index + 1;
      if (child >= size) break;
      if (child + 1 < size && before(heap[child + 1], heap[child])) child++;
      if (!before(heap[child], timer)) break;
      heap[index] = heap[child];
      index = child;
    }
    heap[index] = timer;
  }
}

function before(a: Timer, b: Timer): boolean {
  return a.when < b.when || (a.when === b.when && a.sequence < b.sequence);
}
