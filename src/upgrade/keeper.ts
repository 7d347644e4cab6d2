import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Failure } from '../failure/failure.ts';
import { failed, ok, type Result } from '../failure/result.ts';
import type { Step } from '../model/step.ts';
import type { Plan } from '../plan/plan.ts';
import { runningKernel } from '../survey/machine.ts';
import { openJournal, type Journal } from '../store/journal.ts';
import { carryOut } from './carry-out.ts';
import { isDone } from './done.ts';
import { startGuard, type GuardProcess } from './guard.ts';
import { lockUpgrade } from './lock.ts';
import { Patience } from './patience.ts';
import { prepare } from './prepare.ts';
import { forgetPrepared, type Prepared } from './prepared.ts';
import { dropOthers, endAbandoned, forgetOutdated } from './reuse.ts';

/** How the keeper is told to end: `SIGUSR1` leaves all as it is for `segue upgrade`, the others undo it. */
const SIGNALS = ['SIGUSR1', 'SIGTERM', 'SIGINT'] as const;
type Signal = (typeof SIGNALS)[number];

/**
 * Takes the snapshots of an upgrade, and takes anew those that are out of date, until the administrator goes on with the
 * upgrade or cancels it. When it is killed, its guard undoes all.
 */
export async function keep(prepared: Prepared): Promise<Result<undefined>> {
  const lock = lockUpgrade();
  if (!lock.ok) return lock;
  const told = new Told();
  try {
    await endAbandoned(prepared.store, runningKernel(), prepared.id);
    const journal = openJournal(prepared.store, prepared.id, runningKernel());
    const guard = await startGuard(journal, { id: prepared.id, store: prepared.store, kernel: runningKernel() });
    if (!guard.ok) return guard;
    return await keepWith(prepared, journal, guard.value, told);
  } finally {
    lock.value.release();
  }
}

async function keepWith(prepared: Prepared, journal: Journal, guard: GuardProcess, told: Told): Promise<Result<undefined>> {
  const patience = new Patience();
  const interrupted = (): Failure | undefined => (guard.gone ? { reason: 'guard-gone' } : undefined);
  for (let cycle = 0; told.signal === undefined; cycle += 1) {
    const plan = await prepare({ ...prepared, prepare: true }, prepared.id);
    if (plan.ok) {
      await dropOthers(plan.value);
      await forgetOutdated(plan.value);
      for (const step of plan.value.steps) {
        if (told.signal !== undefined) break;
        if (!isWanted(step, plan.value, cycle === 0) || isDone(step) || !patience.allows(step)) continue;
        const result = await carryOut([step], { journal, guard, interrupted, progress: { stepBegins: () => undefined, givingUp: () => undefined } });
        if (!result.ok) {
          forgetPrepared();
          return result;
        }
      }
    } else if (cycle === 0) {
      // Later an obstacle may come and go; `segue upgrade` says what is in its way.
      await guard.giveUp(plan.failure.reason);
      forgetPrepared();
      return plan;
    }
    if (cycle === 0 && told.signal === undefined) journal.append({ event: 'prepared' });
    await told.within(prepared.everySeconds * 1000);
  }
  if (told.signal === 'SIGUSR1') {
    await guard.leave();
    return ok(undefined);
  }
  journal.append({ event: 'giving-up', why: 'cancelled' });
  await guard.giveUp('cancelled');
  forgetPrepared();
  return failed({ reason: 'interrupted', signal: told.signal });
}

/** Of a plan: the snapshots, and what of the hand-over they are summed with. All else is done when the upgrade goes on. */
function isWanted({ phase, action }: Step, { paths }: Plan, first: boolean): boolean {
  const ofWorkload = `${paths.handover}/workloads/`;
  switch (action.kind) {
    case 'open-store':
      return first;
    case 'store-nice':
      return first && action.nice > 0;
    case 'write':
      return action.path.startsWith(ofWorkload) && !existsSync(action.path);
    case 'snapshot':
      return !action.last;
    case 'snapshot-whole':
      return true;
    case 'run':
    case 'count-calls':
      return phase === 'snapshot' && first;
    default:
      return false;
  }
}

/** What it was told by a signal, which also ends a wait. */
class Told {
  signal: Signal | undefined;
  readonly #end = new AbortController();

  constructor() {
    for (const name of SIGNALS) {
      process.on(name, () => {
        // Whoever was to go on with it may be gone.
        if (this.signal !== 'SIGTERM') this.signal = name;
        this.#end.abort();
      });
    }
  }

  async within(milliseconds: number): Promise<void> {
    await sleep(milliseconds, undefined, { signal: this.#end.signal }).catch(() => undefined);
  }
}
