import type { JournalEvent } from '../journal.js';
import { stoppageSpan } from '../steps.js';

/** What the timeline takes of `segue status --json`. */
export interface StatusWorkload {
  readonly unit: string;
  readonly parkedAt?: string | undefined;
  readonly heldMs?: number | undefined;
}

/** When one workload was stopped. */
export interface Stop {
  readonly unit: string;
  /** Since the stoppage began, milliseconds. */
  readonly at: number;
  /** Until the start of the new kernel. */
  readonly forMs: number;
  /** The longest that a snapshot held it, before the stoppage. */
  readonly snapshotHeldMs?: number;
}

/** Who was stopped when, first one first. Who needed no new image may have been stopped by a step that names no unit. */
export function timeline(workloads: readonly StatusWorkload[], events: readonly JournalEvent[]): Stop[] {
  const { from, to } = stoppageSpan(events);
  const stops = workloads.map(({ unit, parkedAt, heldMs }): Stop => {
    const stoppedAt = parkedAt === undefined ? stoppedInJournal(unit, events) : Date.parse(parkedAt);
    if (stoppedAt === undefined) throw new Error(`neither the status nor the journal says when ${unit} was stopped`);
    return { unit, at: stoppedAt - from, forMs: to - stoppedAt, ...(heldMs === undefined ? {} : { snapshotHeldMs: heldMs }) };
  });
  return stops.toSorted((a, b) => a.at - b.at);
}

function stoppedInJournal(unit: string, events: readonly JournalEvent[]): number | undefined {
  const own = events.find((event) => event.unit === unit && event.phase === 'park');
  if (own !== undefined) return own.at;
  const proven = events.findIndex(({ current }) => current?.includes(unit));
  return events.slice(0, Math.max(0, proven)).findLast(({ phase }) => phase === 'park')?.at;
}

/** Whether the critical workload was the last to be stopped, and how that compares with others of its size. */
export interface Critical {
  readonly forMs: number;
  readonly last: boolean;
  /** The shortest that any other of its size was stopped. */
  readonly othersMs?: number;
}

export function critical(unit: string, stops: readonly Stop[], sameSize: (unit: string) => boolean): Critical | undefined {
  const own = stops.find((stop) => stop.unit === unit);
  if (own === undefined) return undefined;
  const others = stops.filter((stop) => stop !== own);
  const alike = others.filter((stop) => sameSize(stop.unit)).map(({ forMs }) => forMs);
  return { forMs: own.forMs, last: others.every(({ at }) => at < own.at), ...(alike.length === 0 ? {} : { othersMs: Math.min(...alike) }) };
}
