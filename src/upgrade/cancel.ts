import { setTimeout as sleep } from 'node:timers/promises';
import { failed, ok, type Result } from '../failure/result.ts';
import { runningUpgrade } from './lock.ts';
import { endKeeper, isKept } from './prepared.ts';

/** An upgrade is given up between two steps; one of them may take its time. */
const END_MILLISECONDS = 600_000;

/** Has a prepared upgrade, or one under way, give up, and waits until all is undone: its guard may still be at it. */
export async function cancel(): Promise<Result<undefined>> {
  const running = runningUpgrade();
  if (await isKept()) {
    const ended = await endKeeper('SIGTERM');
    if (!ended.ok) return ended;
  } else if (running !== undefined) process.kill(running, 'SIGTERM');
  else return failed({ reason: 'nothing-to-cancel' });
  const end = performance.now() + END_MILLISECONDS;
  while (performance.now() < end) {
    if (runningUpgrade() === undefined) return ok(undefined);
    await sleep(100);
  }
  return failed({ reason: 'step-failed', step: 'cancel the upgrade', error: 'it does not end' });
}
