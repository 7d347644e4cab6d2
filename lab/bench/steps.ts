import type { JournalEvent } from './journal.js';

/** One step of the stoppage. */
export interface Step {
  readonly phase: string;
  readonly step: string;
  readonly unit?: string;
  /** Since the stoppage began, milliseconds. */
  readonly startedAt: number;
  readonly ms: number;
  /** It made an image: such steps run side by side. */
  readonly image: boolean;
  /** For how long CRIU says it held the tasks. */
  readonly heldMs?: number;
}

export interface Span {
  readonly from: number;
  readonly to: number;
}

/** From the first step of the phase park, when the first workload is about to be stopped, to the start of the new kernel. */
export function stoppageSpan(events: readonly JournalEvent[]): Span {
  const from = events.find(({ event, phase }) => event === 'step' && phase === 'park')?.at;
  const to = events.find(({ event }) => event === 'jumping')?.at;
  if (from === undefined || to === undefined) throw new Error('the journal does not tell of a stoppage');
  return { from, to };
}

/**
 * The steps of the stoppage. The journal says when each begins. One that makes an image ends with the event `imaged`,
 * which belongs to the last step of its unit; any other ends when the next begins, as they wait for each other.
 */
export function stepsOf(events: readonly JournalEvent[]): Step[] {
  const span = stoppageSpan(events);
  const first = events.findIndex(({ event, phase }) => event === 'step' && phase === 'park');
  const last = events.findIndex(({ event }) => event === 'jumping');
  const within = events.slice(first, last).filter(({ event }) => ['step', 'imaged'].includes(event));
  return within.flatMap((begin, index) => {
    if (begin.event !== 'step') return [];
    const { unit } = begin;
    const later = within.slice(index + 1);
    const next = later.find((each) => each.unit === unit);
    const imaged = unit !== undefined && next?.event === 'imaged' ? next : undefined;
    const end = (imaged ?? later.find(({ event }) => event === 'step'))?.at ?? span.to;
    return [{
      phase: begin.phase ?? '',
      step: begin.step ?? '',
      ...(unit === undefined ? {} : { unit }),
      startedAt: begin.at - span.from,
      ms: end - begin.at,
      image: imaged !== undefined,
      ...(imaged?.heldMs === undefined ? {} : { heldMs: imaged.heldMs }),
    }];
  });
}

/** How long at least one of these steps was at work. */
export function togetherMs(steps: readonly Step[]): number {
  let total = 0;
  let end = -Infinity;
  for (const { startedAt, ms } of steps.toSorted((a, b) => a.startedAt - b.startedAt)) {
    total += Math.max(0, startedAt + ms - Math.max(end, startedAt));
    end = Math.max(end, startedAt + ms);
  }
  return total;
}
