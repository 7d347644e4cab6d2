import { randomInt } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Span } from '../../steps.js';
import type { Clock } from './paced.js';

const MIB = 2 ** 20;
const PAGE = 4096;
/** Redis maps a value of this size by itself, and changes it where it is. */
const LARGEST_MIB = 16;
/** Little enough that a client which asks in between hardly waits. */
const TICK_MS = 50;
/** No more than so much is made up for after Redis has not answered for a while: the pace is one of time. */
const MOST_TICKS = 2;

/** Memory that Redis holds: random, in large values, of which single pages can be rewritten. */
export class Pages {
  readonly #redis: Redis;
  readonly #valueBytes: number;
  readonly #values: number;

  constructor(redis: Redis, mib: number) {
    this.#redis = redis;
    const valueMib = Math.min(LARGEST_MIB, mib);
    this.#valueBytes = valueMib * MIB;
    this.#values = Math.max(1, Math.round(mib / valueMib));
  }

  get count(): number {
    return this.#values * (this.#valueBytes / PAGE);
  }

  async fill(random: (bytes: number) => Buffer): Promise<void> {
    // It would write to the disk, and fork, at times of its own.
    await this.#redis.config('SET', 'save', '');
    await this.#redis.config('SET', 'appendonly', 'no');
    for (let value = 0; value < this.#values; value += 1) await this.#redis.set(keyOf(value), random(this.#valueBytes));
  }

  /** One small write somewhere. The answer is checked. */
  async touch(redis: Redis): Promise<void> {
    const length = await redis.setrange(keyOf(randomInt(this.#values)), randomInt(this.#valueBytes - 8), '01234567');
    if (length !== this.#valueBytes) throw new Error(`SETRANGE gave ${length} instead of ${this.#valueBytes}`);
  }

  /** Rewrites so many pages, anywhere, one byte in each: to the kernel a page is written or is not. */
  async rewrite(pages: number): Promise<void> {
    const chosen = new Map<number, string[]>();
    for (let page = 0; page < pages; page += 1) {
      const value = randomInt(this.#values);
      const writes = chosen.get(value) ?? [];
      chosen.set(value, writes);
      writes.push('SET', 'u8', `#${randomInt(this.#valueBytes)}`, String(randomInt(256)));
    }
    await Promise.all([...chosen].map(([value, writes]) => this.#redis.call('BITFIELD', keyOf(value), ...writes)));
  }
}

/** Pages rewritten up to a time, milliseconds since the epoch. */
export type Rewritten = readonly [at: number, pages: number];

/** Rewrites a part of the pages each second, as long as nobody says that it is over. */
export async function rewriteAtPace(pages: Pages, part: number, clock: Clock, record: (rewritten: Rewritten) => void, over: () => boolean): Promise<void> {
  let last = clock.now();
  let owed = 0;
  while (!over()) {
    await clock.sleep(Math.max(0, last + TICK_MS - clock.now()));
    const at = clock.now();
    owed += (pages.count * part * Math.min(at - last, TICK_MS * MOST_TICKS)) / 1000;
    last = at;
    const whole = Math.floor(owed);
    owed -= whole;
    await pages.rewrite(whole);
    record([clock.now(), whole]);
  }
}

const keyOf = (value: number): string => `bench:${value}`;

/** The part of all pages that was rewritten each second of a span of time. */
export function rewrittenIn(rewritten: readonly Rewritten[], pages: number, { from, to }: Span): number {
  const within = rewritten.filter(([at]) => at >= from && at < to);
  return within.reduce((sum, [, count]) => sum + count, 0) / pages / ((to - from) / 1000);
}
