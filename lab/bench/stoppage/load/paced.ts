import { setTimeout as sleep } from 'node:timers/promises';
import type { Turn } from './answers.js';

/** Time that no setting of the clock changes, milliseconds since the epoch. */
export const now = (): number => performance.timeOrigin + performance.now();

export interface Pace {
  readonly everyMs: number;
  readonly firstAt: number;
}

/**
 * Asks at fixed times, one question after the other, until `over`. Turns that come while an answer is waited for are not
 * made up for: a user who waits does not ask anew. They are in the record, as turns without a question.
 */
export async function askAtPace(ask: () => Promise<void>, { everyMs, firstAt }: Pace, record: (turn: Turn) => void, over: () => boolean): Promise<void> {
  let due = firstAt;
  while (!over()) {
    await sleep(Math.max(0, due - now()));
    // From the question on: that this process came late to it is not the service's doing.
    const asked = now();
    await ask();
    const answered = now();
    record([asked, answered - asked, 1]);
    for (due += everyMs; due <= answered; due += everyMs) if (due > asked) record([due, answered - due, 0]);
  }
}
