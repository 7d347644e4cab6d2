import { setTimeout as sleep } from 'node:timers/promises';
import type { Turn } from './answers.js';

/** Milliseconds since the epoch, and waiting for so many of them. */
export interface Clock {
  now(): number;
  sleep(ms: number): Promise<unknown>;
}

/** Its time is changed by no setting of the machine's clock. */
export const steadyClock: Clock = { now: () => performance.timeOrigin + performance.now(), sleep };

export interface Pace {
  readonly everyMs: number;
  readonly firstAt: number;
}

/**
 * Asks at fixed times, one question after the other, until `over`. Turns that come while an answer is waited for are not
 * made up for: a user who waits does not ask anew. They are in the record, as turns without a question.
 */
export async function askAtPace(ask: () => Promise<void>, { everyMs, firstAt }: Pace, clock: Clock, record: (turn: Turn) => void, over: () => boolean): Promise<void> {
  let due = firstAt;
  while (!over()) {
    await clock.sleep(Math.max(0, due - clock.now()));
    // From the question on: that this process came late to it is not the service's doing.
    const asked = clock.now();
    await ask();
    const answered = clock.now();
    record([asked, answered - asked, 1]);
    for (due += everyMs; due <= answered; due += everyMs) if (due > asked) record([due, answered - due, 0]);
  }
}
