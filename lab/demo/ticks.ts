import type { Guest } from '../guest/guest.js';

/** What the plain process wrote: one line a tick, `number seconds.nanoseconds`. */
export interface Ticks {
  /** Ticks that followed the one before. */
  readonly right: number;
  /** Ticks that are missing, come again, or are no ticks at all. */
  readonly wrong: number;
  readonly pauseMs: number;
}

const FILE = '/var/lib/ticker/ticks';

/** The number of the next tick, when that has come: the last one so far may be from before the guest was saved. */
export async function nextTick(guest: Guest): Promise<number> {
  return Number.parseInt((await guest.exec(`last=$(tail -n 1 ${FILE}); until [ "$(tail -n 1 ${FILE})" != "$last" ]; do sleep 0.1; done; tail -n 1 ${FILE}`)).stdout);
}

export async function readTicks(guest: Guest, since: number): Promise<Ticks> {
  return checkTicks((await guest.exec(['cat', FILE])).stdout, since);
}

/**
 * Each number must be the one before plus one, from 1 on. The pause is the longest time between two ticks, from number
 * `since` on: a guest that begins in a saved state has its clock set before.
 */
export function checkTicks(text: string, since = 1): Ticks {
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
    if (gap > pauseMs && Number(number) > since) pauseMs = Math.round(gap);
    last = { number: Number(number), time: Number(time) };
  }
  return { right, wrong, pauseMs };
}
