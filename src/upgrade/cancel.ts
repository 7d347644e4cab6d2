import { setTimeout as sleep } from 'node:timers/promises';
import type { Failure } from '../failure/failure.ts';
import { failed, type Result } from '../failure/result.ts';
import { runningKernel } from '../survey/machine.ts';
import { lockUpgrade, runningUpgrade, upgradingProcess } from './lock.ts';
import { endKeeper, forgetPrepared, isKept } from './prepared.ts';
import { abandoned, endAbandoned } from './reuse.ts';

/** An upgrade is given up between two steps; one of them may take its time. */
const END_MILLISECONDS = 600_000;

/** Has a prepared upgrade, or one under way, give up, and waits until all is undone: its guard may still be at it. */
export async function cancel(store: string): Promise<Result<undefined>> {
  const end = performance.now() + END_MILLISECONDS;
  const late = (): Failure | undefined => (performance.now() < end ? undefined : { reason: 'step-failed', step: 'cancel the upgrade', error: 'it does not end' });
  if (await isKept()) {
    const ended = await endKeeper('SIGTERM', late);
    if (!ended.ok) return ended;
  } else {
    const upgrading = upgradingProcess();
    if (upgrading !== undefined) process.kill(upgrading, 'SIGTERM');
    else if (runningUpgrade() === undefined && abandoned(store).length === 0) return failed({ reason: 'nothing-to-cancel' });
  }
  while (runningUpgrade() !== undefined) {
    const failure = late();
    if (failure !== undefined) return failed(failure);
    await sleep(100);
  }
  // Whoever was to go on with it may have been killed before.
  const lock = lockUpgrade();
  if (!lock.ok) return lock;
  try {
    forgetPrepared();
    return await endAbandoned(store, runningKernel());
  } finally {
    lock.value.release();
  }
}
