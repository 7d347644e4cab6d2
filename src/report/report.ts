import { stateAfter, type UpgradeState } from '../model/state.ts';
import type { JournalEvent } from '../store/journal.ts';
import { clocksOf, joinClocks, shift, type Clocks } from './clocks.ts';

export interface WorkloadReport {
  readonly unit: string;
  /** carried: not yet known; restored: runs on; afresh: started anew; stopped: it was, to be started anew; failed: it does not run. */
  readonly fate: 'carried' | 'restored' | 'afresh' | 'failed' | 'stopped';
  /** Its main process, before and after. */
  readonly pid: number;
  readonly parkedAt?: string;
  readonly restoredAt?: string;
  /** From its freeze to its first instruction in the new kernel, milliseconds; and where they went. */
  readonly pauseMs?: number;
  readonly clocks?: Clocks;
  /** From then until systemd had it as its own again, milliseconds. */
  readonly adoptionMs?: number;
  /** From then until it had all of its memory, milliseconds; only where it ran before that. */
  readonly memoryMs?: number;
  readonly why?: string;
  /** Memory imaged while it was parked, and memory that snapshots had imaged before and that had not changed since, bytes. */
  readonly imagedBytes?: number;
  readonly earlierBytes?: number;
  /** The longest that a snapshot held its tasks, milliseconds. */
  readonly heldMs?: number;
  /** For how long it was slowed down before it was parked, milliseconds. */
  readonly slowedMs?: number;
  /** The newest snapshot: of memory only, or whole; and when it was taken. */
  readonly snapshot?: 'memory' | 'whole';
  readonly snapshotAt?: string;
  /** Whether that whole snapshot was proven current while it was parked, and used as it is. */
  readonly current?: boolean;
  /** Why there is no whole snapshot, or why it was not current. */
  readonly doubt?: string;
}

export interface PhaseReport {
  readonly phase: 'prepare' | 'snapshot' | 'park' | 'jump' | 'restore' | 'settle';
  readonly startedAt: string;
  readonly ms: number;
}

export interface UpgradeReport {
  readonly schemaVersion: 1;
  readonly id: string;
  readonly state: UpgradeState;
  readonly from: string;
  readonly to: string;
  /** The kernel that the machine came back to, if it did. */
  readonly backOn?: string;
  /** What the hand-over was kept in, `disk` or `ram`; and why not in memory, though that was set up. */
  readonly store?: string;
  readonly storeWhy?: string;
  readonly startedAt: string;
  readonly endedAt?: string;
  /** It is unfinished, and nobody is at it any more. */
  readonly abandoned?: true;
  readonly why?: string;
  readonly phases: readonly PhaseReport[];
  readonly workloads: readonly WorkloadReport[];
  readonly skipped: readonly string[];
}

const between = (from: string, to: string): number => Math.max(0, Date.parse(to) - Date.parse(from));

/**
 * What the kernel that runs has seen. What came back in a kernel that went down again did not come back: a way back
 * begins anew.
 */
export function lastArrival(events: readonly JournalEvent[]): readonly JournalEvent[] {
  return events.slice(Math.max(0, events.findLastIndex((event) => event.event === 'came-back')));
}

type Events = readonly JournalEvent[];

/** The events of a unit, or of none; found at once, as there may be hundreds of units with a dozen events each. */
function byUnit(events: Events): (unit: string | undefined) => Events {
  const found = new Map<string | undefined, JournalEvent[]>();
  for (const event of events) {
    const its = found.get(event.unit);
    if (its === undefined) found.set(event.unit, [event]);
    else its.push(event);
  }
  return (unit) => found.get(unit) ?? [];
}

/** What happened to each: ever, what of that the kernel that runs has seen, and which images were proven current. */
function workloadReports(units: NonNullable<JournalEvent['units']>, events: Events): WorkloadReport[] {
  const [ofEver, ofLast] = [byUnit(events), byUnit(lastArrival(events))];
  const proofs = events.filter(({ current, changed }) => current !== undefined || changed !== undefined);
  // Of no workload, or of all.
  const common = ofEver(undefined);
  // The first step of parking stops all those that are not carried.
  return units.map(({ unit, fate, pid }) => workloadReport({ unit, fate, pid }, ofEver(unit), fate === 'stopped' ? common : ofEver(unit), ofLast(unit), proofs, common));
}

function workloadReport({ unit, fate, pid }: Pick<WorkloadReport, 'unit' | 'pid'> & { readonly fate: 'carried' | 'stopped' }, before: Events, steps: Events, own: Events, proofs: Events, common: Events): WorkloadReport {
  const proof = proofs.findLast(({ current, changed }) => current?.includes(unit) === true || changed?.some((each) => each.unit === unit) === true);
  const parking = steps.find((event) => event.event === 'step' && event.phase === 'park');
  const parkedAt = (proof?.current?.includes(unit) === true ? proof.stoppedAt : undefined) ?? parking?.at;
  const restored = own.find((event) => event.event === 'restored');
  const restoredAt = restored === undefined ? undefined : shift(restored.at, -Math.max(0, restored.adoptionMs ?? 0));
  const clocks = parkedAt === undefined || restoredAt === undefined ? undefined : clocksOf(common, own, parkedAt, restoredAt);
  const memoryAt = own.findLast((event) => event.event === 'memory-given')?.at;
  const told = (...names: string[]): string | undefined => own.find((event) => names.includes(event.event) && event.why !== undefined)?.why;
  const why = told('restore-failed', 'failed') ?? told('afresh');
  const end = own.findLast((event) => ['restored', 'afresh', 'failed'].includes(event.event))?.event as 'restored' | 'afresh' | 'failed' | undefined;
  const images = before.filter(({ event }) => event === 'imaged');
  const total = (of: (event: JournalEvent) => number | undefined): number => images.reduce((sum, event) => sum + (of(event) ?? 0), 0);
  const held = before.filter(({ event }) => event === 'snapshot').flatMap(({ rounds }) => rounds ?? []).map(({ heldMs }) => heldMs);
  const slowedAt = before.find((event) => event.slowedAt !== undefined)?.slowedAt;
  const final = end ?? (fate === 'stopped' ? 'stopped' : why === undefined ? 'carried' : 'failed');
  return {
    unit,
    fate: final,
    pid,
    ...(parkedAt === undefined ? {} : { parkedAt }),
    ...(restoredAt === undefined ? {} : { restoredAt }),
    ...(parkedAt !== undefined && restoredAt !== undefined ? { pauseMs: between(parkedAt, restoredAt) } : {}),
    ...(clocks === undefined ? {} : { clocks }),
    ...(restored?.adoptionMs === undefined ? {} : { adoptionMs: restored.adoptionMs }),
    ...(restoredAt !== undefined && memoryAt !== undefined ? { memoryMs: between(restoredAt, memoryAt) } : {}),
    ...(why === undefined ? {} : { why }),
    ...(images.length === 0 ? {} : { imagedBytes: total(({ bytes }) => bytes), earlierBytes: total(({ earlierBytes }) => earlierBytes) }),
    ...(held.length === 0 ? {} : { heldMs: Math.max(...held) }),
    ...(slowedAt === undefined || parkedAt === undefined ? {} : { slowedMs: between(slowedAt, parkedAt) }),
    ...snapshotReport(unit, own, proof),
  };
}

function snapshotReport(unit: string, own: readonly JournalEvent[], proof: JournalEvent | undefined): Pick<WorkloadReport, 'snapshot' | 'snapshotAt' | 'current' | 'doubt'> {
  // Of a snapshot that failed or was dropped none before is left.
  const last = own.findLast(({ event }) => event === 'snapshot' || event === 'snapshot-failed');
  const taken = last?.event === 'snapshot' ? last : undefined;
  const doubted = own.findLast(({ event }) => ['snapshot', 'doubt', 'snapshot-failed'].includes(event));
  const doubt = proof?.changed?.find((each) => each.unit === unit)?.why ?? doubted?.why;
  return {
    ...(taken === undefined ? {} : { snapshot: taken.whole === true && doubted === taken ? 'whole' as const : 'memory' as const, snapshotAt: taken.at }),
    ...(proof === undefined ? {} : { current: proof.current?.includes(unit) === true }),
    ...(doubt === undefined ? {} : { doubt }),
  };
}

function phases(events: readonly JournalEvent[]): PhaseReport[] {
  // What was prepared before `segue upgrade` went on with it is no phase of that.
  const own = events.slice(Math.max(0, events.findLastIndex(({ event }) => event === 'begun')));
  const first = (test: (event: JournalEvent) => boolean): string | undefined => own.find(test)?.at;
  const marks: [PhaseReport['phase'], string | undefined][] = [
    ['prepare', first((event) => event.event === 'begun')],
    ['snapshot', first((event) => event.phase === 'snapshot')],
    ['park', first((event) => event.phase === 'park')],
    ['jump', first((event) => event.phase === 'jump' || event.event === 'jumping')],
    ['restore', lastArrival(events).find((event) => ['arrived', 'came-back'].includes(event.event))?.at],
    ['settle', lastArrival(events).find((event) => event.event === 'settling')?.at],
  ];
  const end = events.at(-1)?.at;
  return marks.flatMap(([phase, startedAt], index) => {
    if (startedAt === undefined) return [];
    const next = marks.slice(index + 1).find(([, at]) => at !== undefined)?.[1] ?? end;
    return [{ phase, startedAt, ms: between(startedAt, next ?? startedAt) }];
  });
}

/** With these an upgrade is over. */
export const ENDINGS: readonly string[] = ['settled', 'given-up', 'given-up-in-part'];

/** What happened, by workload and phase. */
export function makeReport(id: string, journal: readonly JournalEvent[]): UpgradeReport {
  const events = joinClocks(journal);
  const begun = events.findLast((event) => event.event === 'begun');
  const back = events.findLast((event) => event.event === 'came-back');
  const last = (...names: string[]): string | undefined => lastArrival(events).findLast((event) => names.includes(event.event) && event.why !== undefined)?.why;
  const state = stateAfter(events);
  const left = state === 'given-up-in-part' ? last('given-up-in-part') : undefined;
  const why = last('giving-up', 'handover-refused', 'came-back');
  // Also one that was refused is settled: what it carried is started afresh, and it is seen what of it runs.
  const endedAt = lastArrival(events).findLast((event) => ENDINGS.includes(event.event))?.at;
  return {
    schemaVersion: 1,
    id,
    state,
    from: begun?.from ?? '',
    to: begun?.to ?? '',
    ...(begun?.store === undefined ? {} : { store: begun.store }),
    ...(begun?.storeWhy === undefined ? {} : { storeWhy: begun.storeWhy }),
    startedAt: begun?.at ?? events[0]?.at ?? '',
    ...(back === undefined ? {} : { backOn: back.kernel }),
    ...(endedAt === undefined ? {} : { endedAt }),
    ...(why === undefined ? {} : { why: left === undefined ? why : `${why}; not undone: ${left}` }),
    phases: phases(events),
    workloads: workloadReports(begun?.units ?? [], events),
    skipped: events.flatMap((event) => (event.event === 'state-skipped' ? (event.what ?? []) : [])),
  };
}

/** It has not jumped, and its end was not written: somebody is at it, or whoever was at it is gone. */
export const isUnfinished = ({ state, endedAt }: UpgradeReport): boolean => endedAt === undefined && ['preparing', 'prepared', 'parking', 'giving-up'].includes(state);

/** The exit code of `segue status` and `segue show`: see segue(8). */
export function exitCodeOf(report: UpgradeReport): number {
  if (report.state === 'given-up') return 1;
  if (report.state === 'given-up-in-part') return 14;
  if (report.workloads.some(({ fate }) => fate === 'failed')) return 14;
  if (report.state === 'back') return 13;
  if (report.state === 'refused' || report.workloads.some(({ fate }) => fate === 'afresh')) return 12;
  return 0;
}
