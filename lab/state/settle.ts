import { setTimeout as sleep } from 'node:timers/promises';
import { LabError } from '../errors.js';
import type { Guest } from '../guest/guest.js';
import type { Log } from '../log.js';

const PATIENCE = 300_000;

/** Waits until the guest has nothing left to do of its own, and everything is on its disk. */
export async function settle(guest: Guest, log: Log): Promise<void> {
  const { stdout: verdict } = await guest.exec('systemctl is-system-running --wait', { reject: false, timeoutMs: PATIENCE });
  const deadline = performance.now() + PATIENCE;
  while (/^\s*\d+ /m.test((await guest.exec('systemctl list-jobs --no-legend --plain')).stdout)) {
    if (performance.now() > deadline) throw new LabError(`guest ${guest.name} does not settle: systemd still has jobs`);
    await sleep(300);
  }
  if (verdict !== 'running') {
    const { stdout: failed } = await guest.exec('systemctl list-units --failed --no-legend --plain');
    log(`note: systemd in the guest says “${verdict}”:\n${failed}`);
  }
  await guest.exec('sync');
}
