/** A first-in-first-out list in a ring that grows: O(1) at both ends, and nothing is moved. */
export class Ring<T> {
  #slots: (T | undefined)[] = new Array(16);
  #mask = 15;
  #head = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(item: T): void {
    if (this.#size > this.#mask) this.#grow();
    this.#slots[(this.#head + this.#size++) & this.#mask] = item;
  }

  /** The first item, without taking it. */
  peek(): T | undefined {
    return this.#slots[this.#head];
  }

  shift(): T | undefined {
    if (this.#size === 0) return undefined;
    const item = this.#slots[this.#head];
    this.#slots[this.#head] = undefined;
    this.#head = (this.#head + 1) & this.#mask;
    this.#size--;
    return item;
  }

  some(test: (item: T) => boolean): boolean {
    for (let i = 0; i < this.#size; i++) if (test(this.at(i))) return true;
    return false;
  }

  at(index: number): T {
    return this.#slots[(this.#head + index) & this.#mask]!;
  }

  swap(a: number, b: number): void {
    const item = this.at(a);
    this.#slots[(this.#head + a) & this.#mask] = this.at(b);
    this.#slots[(this.#head + b) & this.#mask] = item;
  }

  clear(): void {
    this.#slots = new Array(16);
    this.#mask = 15;
    this.#head = this.#size = 0;
  }

  #grow(): void {
    const slots: (T | undefined)[] = new Array(this.#slots.length * 2);
    for (let i = 0; i < this.#size; i++) slots[i] = this.at(i);
    this.#slots = slots;
    this.#mask = slots.length - 1;
    this.#head = 0;
  }
}
