import type { JournalEvent } from '../journal.js';

/** When a workload was restored, milliseconds after the first tick of the new kernel, and how long that took. */
export interface Restored {
  readonly unit: string;
  readonly at: number;
  readonly ms: number;
}

/** In their order; `kernel` is the first tick by the guest's clock. */
export function restoreTimes(events: readonly JournalEvent[], kernel: number): Restored[] {
  return events.filter(({ event }) => event === 'restored').map(({ unit = '', at }) => {
    const begun = events.find((each) => each.event === 'restoring' && each.unit === unit)?.at ?? at;
    return { unit, at: Math.round(at - kernel), ms: at - begun };
  });
}
