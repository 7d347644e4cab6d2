/** Numbers that look random and follow from a seed (mulberry32): what went wrong can be had again, but for its timing. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** From 0 to below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }

  whole(below: number): number {
    return Math.floor(this.next() * below);
  }

  /** Each order of magnitude is as likely as any other. */
  scaled(low: number, high: number): number {
    return low * (high / low) ** this.next();
  }

  pick<T>(items: readonly [T, ...T[]]): T {
    return items[this.whole(items.length)] ?? items[0];
  }
}
