/** What arrives in its own time, for whoever asks for it one by one. */
export class Inbox<T> {
  readonly #items: T[] = [];
  readonly #waiting: ((item: T) => void)[] = [];

  push(item: T): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#items.push(item);
    else waiting(item);
  }

  async take(): Promise<T> {
    const [item] = this.#items.splice(0, 1);
    if (item !== undefined) return item;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** All that has arrived and that nobody asked for. */
  drain(): T[] {
    return this.#items.splice(0);
  }
}
