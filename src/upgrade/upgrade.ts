import type { Failure } from '../failure/failure.ts';
import { failed, type Result } from '../failure/result.ts';
import type { Plan } from '../plan/plan.ts';
import { carryOut, type Progress } from './carry-out.ts';
import { isUnfinished, makeReport } from '../report/report.ts';
import { openJournal, readJournal, type Journal } from '../store/journal.ts';
import { startGuard } from './guard.ts';
import { lockUpgrade } from './lock.ts';
import { awaitInhibitors } from '../park/inhibitors.ts';
import { aheadOfMachine } from '../tools/rtc.ts';
import { endKeeper, forgetPrepared, isKept, readPrepared } from './prepared.ts';
import { dropOthers, endAbandoned } from './reuse.ts';

/** Signals that mean: give up. SIGHUP is the loss of the terminal. */
const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** What the journal begins with; `clockMs` is by how much the clock is ahead of the machine's. */
export function begun(plan: Plan, clockMs?: number): Parameters<Journal['append']>[0] {
  const entry = (fate: 'carried' | 'stopped') => (workload: Plan['carried'][number]) => ({ unit: workload.unit, fate, pid: workload.mainPid, memory: workload.memory });
  return { event: 'begun', from: plan.from, to: plan.to.release, ...(clockMs === undefined ? {} : { clockMs }), keepImages: plan.keepImages, store: plan.keptIn.place.kind, ...(plan.keptIn.why === undefined ? {} : { storeWhy: plan.keptIn.why }), units: [...plan.carried.map(entry('carried')), ...plan.stopped.map(entry('stopped'))] };
}

/** Carries out a plan. Returns only when the upgrade was given up; after the jump the new kernel takes over. */
export async function upgrade(plan: Plan, store: string, progress: Progress): Promise<Result<undefined>> {
  let signal: NodeJS.Signals | undefined;
  const remember = (received: NodeJS.Signals): void => { signal ??= received; };
  const told = (): Failure | undefined => (signal === undefined ? undefined : { reason: 'interrupted', signal });
  for (const name of SIGNALS) process.on(name, remember);
  try {
    const uninhibited = await awaitInhibitors(plan.stopped.map(({ controlGroup }) => controlGroup), 0);
    if (!uninhibited.ok) return uninhibited;
    if (await isKept()) {
      // Without snapshots nothing is gone on with.
      const ended = await endKeeper(readPrepared()?.id === plan.id ? 'SIGUSR1' : 'SIGTERM', told);
      if (!ended.ok) return ended;
    }
    const lock = lockUpgrade();
    if (!lock.ok) return lock;
    try {
      return await begin(plan, store, progress, told);
    } finally {
      lock.value.release();
    }
  } finally {
    for (const name of SIGNALS) process.off(name, remember);
  }
}

async function begin(plan: Plan, store: string, progress: Progress, told: () => Failure | undefined): Promise<Result<undefined>> {
  forgetPrepared();
  const prepared = readJournal(store, plan.id);
  // Somebody may have cancelled it since, or its keeper was killed.
  if (prepared !== undefined && !isUnfinished(makeReport(plan.id, prepared))) return failed({ reason: 'prepared-no-more' });
  await endAbandoned(store, plan.from, plan.id);
  const clockMs = await aheadOfMachine();
  const journal = openJournal(store, plan.id, plan.from);
  journal.append(begun(plan, clockMs));
  await dropOthers(plan);
  const guard = await startGuard(journal, { id: plan.id, store, kernel: plan.from });
  if (!guard.ok) {
    // What was prepared has no guard any more, either.
    await endAbandoned(store, plan.from);
    return guard;
  }
  // What the keeper has begun was undone by its own guard, which is gone.
  for (const { phase, title, unit, undo } of prepared === undefined ? [] : plan.steps) if (undo !== undefined && (phase === 'prepare' || phase === 'snapshot')) await guard.value.begins({ title, undo, ...(unit === undefined ? {} : { unit }) });
  return await carryOut(plan.steps, { journal, progress, guard: guard.value, interrupted: () => told() ?? (guard.value.gone ? { reason: 'guard-gone' } : undefined) });
}
