import type { AnswerRecord } from './record.js';

/** Asks once, over a connection of its own, which is given up with the signal. Fails unless the answer is a good one. */
export type Ask = (limit: AbortSignal) => Promise<void>;

/** A probe begins so often. */
export const EVERY_MS = 20;

/**
 * Who need not be watched as closely while all is well is asked less often until it is silent: an emulated guest has its
 * processors for the work that is measured.
 */
export class Pace {
  readonly #calmMs: number;
  readonly #record: AnswerRecord;
  readonly #now: () => number;
  #askedAt = -Infinity;

  constructor(calmMs: number, record: AnswerRecord, now: () => number) {
    this.#calmMs = calmMs;
    this.#record = record;
    this.#now = now;
  }

  /** Whether it is time to ask, which it then is not again for a while. Told every 20 ms. */
  isTime(): boolean {
    const now = this.#now();
    const silent = now - (this.#record.answers.at(-1) ?? -Infinity) > this.#calmMs * 1.5;
    // A timer may be a little early.
    if (!silent && now - this.#askedAt < this.#calmMs - EVERY_MS / 2) return false;
    this.#askedAt = now;
    return true;
  }
}
/** No answer may take longer; until then, later probes have long found out. */
const LIMIT_MS = 10_000;

/**
 * Probes that do not know of each other: one that hangs hides nothing, as the next begins 20 ms later. So the return of a
 * service is seen within 20 ms, whatever has become of those that were sent while it was away.
 */
export class FreshProbes implements Disposable {
  readonly #timer: NodeJS.Timeout;
  readonly #waiting = new Set<AbortController>();

  constructor(ask: Ask, record: AnswerRecord, pace: Pace) {
    this.#timer = setInterval(() => {
      if (pace.isTime()) void this.#probe(ask, record);
    }, EVERY_MS);
  }

  async #probe(ask: Ask, record: AnswerRecord): Promise<void> {
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), LIMIT_MS);
    this.#waiting.add(limit);
    try {
      await ask(limit.signal);
      record.good();
    } catch (error) {
      record.bad(error);
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(limit);
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    for (const limit of this.#waiting) limit.abort();
  }
}
