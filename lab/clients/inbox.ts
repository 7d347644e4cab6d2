import { createInterface } from 'node:readline';

/** What arrives in its own time, for whoever asks for it one by one. */
export class Inbox<T> {
  readonly #items: T[] = [];
  readonly #waiting: ((item: T) => void)[] = [];

  /** The lines of a stream. That the stream ends or fails is for others to hear. */
  static ofLines(input: NodeJS.ReadableStream): Inbox<string> {
    const inbox = new Inbox<string>();
    const reader = createInterface({ input, crlfDelay: Infinity });
    reader.on('line', (line) => inbox.push(line));
    // readline repeats the stream's errors, and an error nobody listens to ends the process.
    reader.on('error', () => undefined);
    return inbox;
  }

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
