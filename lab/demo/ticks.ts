import type { Guest } from '../guest/guest.js';

/** What the plain process wrote: one line a tick, `number seconds.nanoseconds`. */
export interface Ticks {
  /** Ticks that followed the one before. */
  readonly right: number;
  /** Ticks that are missing, come again, or are no ticks at all. */
  readonly wrong: number;
  readonly pauseMs: number;
}

export async function readTicks(guest: Guest): Promise<Ticks> {
  return checkTicks((await guest.exec(['cat', '/var/lib/ticker/ticks'])).stdout);
}

/** Each number must be the one before plus one, from 1 on. */
export function checkTicks(text: string): Ticks {
  let right = 0;
  let wrong = 0;
  let pauseMs = 0;
  let last = { number: 0, time: Number.NaN };
  for (const line of text.trimEnd().split('\n')) {
    const [, number, time] = /^(\d+) (\d+\.\d+)$/.exec(line) ?? [];
    if (Number(number) === last.number + 1) right++;
    else wrong++;
    if (number === undefined) continue;
    const gap = (Number(time) - last.time) * 1000;
    if (gap > pauseMs) pauseMs = Math.round(gap);
    last = { number: Number(number), time: Number(time) };
  }
  return { right, wrong, pauseMs };
}
