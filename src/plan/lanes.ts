import type { Workload } from '../model/workload.ts';
import { ownSettings } from './own-settings.ts';

/**
 * A restore waits for the disk, for systemd, or, should something be wrong, for its time limit: on a machine with few
 * workloads none of them waits for another.
 */
export const LANES_PER_PROCESSOR = 4;

/**
 * After whom of its group each workload is restored; nobody for the first of each lane. Hundreds that are restored all at
 * once are all late, and leave systemd no time to answer anybody. The `count` lanes have about the same memory to read, and
 * in each the smallest comes first.
 */
export function restoredAfter(group: readonly Workload[], count: number): Map<string, string> {
  const lanes: { memory: number; workloads: Workload[] }[] = Array.from({ length: count }, () => ({ memory: 0, workloads: [] }));
  for (const workload of group.toSorted((a, b) => b.memory - a.memory)) {
    const lane = lanes.reduce((least, each) => (each.memory < least.memory ? each : least));
    // Also one without memory takes time.
    lane.memory += Math.max(1, workload.memory);
    lane.workloads.unshift(workload);
  }
  return new Map(lanes.flatMap(({ workloads }) => workloads.slice(1).map(({ unit }, index) => [unit, workloads[index]!.unit] as const)));
}

/** The same for those who are required, with whatever they need behind them: once one runs there is no way back for the next. */
export function oneByOne(group: readonly Workload[]): Map<string, string> {
  const chain = group.toSorted((a, b) => Number(ownSettings(b).required) - Number(ownSettings(a).required) || a.memory - b.memory);
  return new Map(chain.slice(1).map(({ unit }, index) => [unit, chain[index]!.unit] as const));
}
