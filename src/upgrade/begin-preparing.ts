import { setTimeout as sleep } from 'node:timers/promises';
import { failed, ok, type Result } from '../failure/result.ts';
import type { Plan } from '../plan/plan.ts';
import { openJournal } from '../store/journal.ts';
import { runningUpgrade } from './lock.ts';
import { forgetPrepared, isKept, startKeeper, writePrepared, type Prepared } from './prepared.ts';
import { begun } from './upgrade.ts';

/** Until the keeper holds the lock: from then on `segue status` knows that somebody is at it. */
const START_MILLISECONDS = 60_000;

/** Begins an upgrade that is only prepared for now, and leaves it to its keeper. */
export async function beginPreparing(prepared: Prepared, plan: Plan): Promise<Result<true>> {
  const journal = openJournal(prepared.store, prepared.id, plan.from);
  journal.append(begun(plan));
  writePrepared(prepared);
  const started = await startKeeper();
  const end = performance.now() + START_MILLISECONDS;
  while (started.ok && performance.now() < end) {
    if (runningUpgrade() !== undefined) return ok(true);
    if (!(await isKept())) break;
    await sleep(50);
  }
  forgetPrepared();
  journal.append({ event: 'given-up', why: 'its keeper did not start' });
  return started.ok ? failed({ reason: 'step-failed', step: 'start what keeps the snapshots fresh', error: 'see `journalctl -u segue-prepare.service`' }) : started;
}
