import type { Failure } from '../failure/failure.ts';
import type { Result } from '../failure/result.ts';
import type { Plan } from '../plan/plan.ts';
import { carryOut, type Progress } from './carry-out.ts';
import { openJournal, type Journal } from '../store/journal.ts';
import { startGuard } from './guard.ts';
import { lockUpgrade } from './lock.ts';
import { endKeeper, forgetPrepared, isKept } from './prepared.ts';
import { dropOthers, endAbandoned } from './reuse.ts';

/** Signals that mean: give up. SIGHUP is the loss of the terminal. */
const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** What the journal begins with. */
export function begun(plan: Plan): Parameters<Journal['append']>[0] {
  const entry = (fate: 'carried' | 'stopped') => (workload: Plan['carried'][number]) => ({ unit: workload.unit, fate, pid: workload.mainPid, memory: workload.memory });
  return { event: 'begun', from: plan.from, to: plan.to.release, keepImages: plan.keepImages, store: plan.keptIn.place.kind, ...(plan.keptIn.why === undefined ? {} : { storeWhy: plan.keptIn.why }), units: [...plan.carried.map(entry('carried')), ...plan.stopped.map(entry('stopped'))] };
}

/** Carries out a plan. Returns only when the upgrade was given up; after the jump the new kernel takes over. */
export async function upgrade(plan: Plan, store: string, progress: Progress): Promise<Result<undefined>> {
  if (await isKept()) {
    const ended = await endKeeper('SIGUSR1');
    if (!ended.ok) return ended;
  }
  forgetPrepared();
  const lock = lockUpgrade();
  if (!lock.ok) return lock;
  let signal: NodeJS.Signals | undefined;
  const remember = (received: NodeJS.Signals): void => { signal ??= received; };
  for (const name of SIGNALS) process.on(name, remember);
  try {
    await endAbandoned(store, plan.from, plan.id);
    const journal = openJournal(store, plan.id, plan.from);
    journal.append(begun(plan));
    await dropOthers(plan);
    const guard = await startGuard(journal, { id: plan.id, store, kernel: plan.from });
    if (!guard.ok) {
      journal.append({ event: 'given-up', why: guard.failure.reason });
      return guard;
    }
    const interrupted = (): Failure | undefined =>
      signal !== undefined ? { reason: 'interrupted', signal } : guard.value.gone ? { reason: 'guard-gone' } : undefined;
    return await carryOut(plan.steps, { journal, progress, guard: guard.value, interrupted });
  } finally {
    for (const name of SIGNALS) process.off(name, remember);
    lock.value.release();
  }
}
