import type { Workload } from '../model/workload.ts';
import { ownSettings } from './own-settings.ts';

/** What a unit has that names no priority: whoever waits for an answer from a socket notices first. */
const SERVES_A_SOCKET = 50;
const SERVES_NONE = 20;
/** Who is required is restored before anybody else runs: as long as nobody does, there is a way back for all. */
export const REQUIRED = 101;

export interface Group {
  readonly priority: number;
  readonly workloads: readonly Workload[];
}

/**
 * The workloads in groups of one priority, the least critical first: so they are parked; they are restored the other way
 * round. A unit is at least as critical as those that are ordered after it (After=), for they need it.
 */
export function byPriority(workloads: readonly Workload[]): Group[] {
  const priorityOf = (workload: Workload): number => {
    const { priority, required } = ownSettings(workload);
    return required ? REQUIRED : (priority ?? (workload.sockets.length > 0 ? SERVES_A_SOCKET : SERVES_NONE));
  };
  const own = new Map(workloads.map((workload) => [workload.unit, priorityOf(workload)]));
  const priorities = new Map(own);
  const raise = (unit: string, priority: number): void => {
    const now = priorities.get(unit);
    if (now === undefined || now >= priority) return;
    priorities.set(unit, priority);
    raiseNeeded(unit);
  };
  const after = new Map(workloads.map(({ unit, properties }) => [unit, (properties['After'] ?? '').split(' ')]));
  const raiseNeeded = (unit: string): void => { for (const needed of after.get(unit) ?? []) raise(needed, priorities.get(unit) ?? 0); };
  for (const { unit } of workloads) raiseNeeded(unit);
  const levels = [...new Set(priorities.values())].sort((a, b) => a - b);
  return levels.map((priority) => ({ priority, workloads: workloads.filter(({ unit }) => priorities.get(unit) === priority) }));
}
