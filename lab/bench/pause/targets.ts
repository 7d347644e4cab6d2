import type { Summary } from './summary.js';

/** One thing that is to be so. */
export interface Verdict {
  readonly what: string;
  readonly value: number;
  readonly target: number;
  /** Whether the target is the most that the value may be, or the least. */
  readonly at: 'most' | 'least';
  readonly reached: boolean;
}

/** How much longer than the floor the critical workload may be away, by the store. */
const CRITICAL: Readonly<Record<string, number>> = { segueDisk: 2, segueRam: 1.5 };
const ALL = 3;
/** How many times shorter than others the pause is to be. */
const SHORTER: Readonly<Record<string, number>> = { reboot: 8, kexec: 8, sequential: 4 };
const SLOPE = 0.25;

/** All targets for which there are figures: ratios of medians, as absolute times say nothing on an emulated machine. */
export function verdicts({ floorMs, ways, memorySlope }: Pick<Summary, 'floorMs' | 'ways' | 'memorySlope'>): Verdict[] {
  const found: Verdict[] = [];
  const atMost = (what: string, value: number, target: number) => found.push({ what, value, target, at: 'most', reached: value <= target });
  const atLeast = (what: string, value: number, target: number) => found.push({ what, value, target, at: 'least', reached: value >= target });
  for (const [way, times] of Object.entries(CRITICAL)) {
    const own = ways[way];
    if (own === undefined) continue;
    if (floorMs !== undefined) {
      atMost(`${way}: the critical workloads, in floors`, own.criticalMs.median / floorMs, times);
      atMost(`${way}: the last workload, in floors`, own.allMs.median / floorMs, ALL);
    }
    for (const [other, shorter] of Object.entries(SHORTER)) {
      const theirs = ways[other];
      if (theirs !== undefined) atLeast(`${way}: times shorter than ${other}`, theirs.criticalMs.median / own.criticalMs.median, shorter);
    }
  }
  if (memorySlope !== undefined) atMost('the growth with memory, in plain copies', memorySlope, SLOPE);
  return found;
}
