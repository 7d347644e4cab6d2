import { setTimeout as sleep } from 'node:timers/promises';
import { Status } from '../demo/upgrade.js';
import { LabError } from '../errors.js';
import type { Guest } from '../lab.js';

/** There is no TPM in the guest: that images are to outlive the kernel must be said. */
const upgradeTo = (kernel: string): string => `segue upgrade --to ${kernel} --yes --way-back restore 2>&1`;
/** The last line that it says before the new kernel starts. */
export const LAST_LINE = 'from here on it cannot be given up';
const UPGRADE_MS = 600_000;
const SETTLE_MS = 400_000;

/** Begins an upgrade; resolves when it says a line. */
export async function upgradeUntil(guest: Guest, line: string, kernel = 'newest'): Promise<void> {
  let said: () => void = () => undefined;
  const reached = new Promise<undefined>((resolve) => (said = () => resolve(undefined)));
  const ended = guest.exec(upgradeTo(kernel), { reject: false, timeoutMs: UPGRADE_MS, onLine: (each) => { if (each.includes(line)) said(); } });
  const end = await Promise.race([reached, ended]);
  if (end !== undefined) throw new LabError(`segue upgrade ended with ${end.exitCode} on the old kernel: ${end.stdout.split('\n').slice(-6).join(' | ')}`);
}

/** Waits until something is on the guest's serial console. */
export async function untilConsole(guest: Guest, words: string): Promise<void> {
  const end = performance.now() + UPGRADE_MS;
  while (!guest.consoleTail(200).includes(words)) {
    if (performance.now() > end) throw new LabError(`the guest's console has never had "${words}"; its end:\n${guest.consoleTail()}`);
    await sleep(100);
  }
}

/** Waits until the machine answers; that it does not is what is lost. */
export async function untilBack(guest: Guest, options: { readonly afterBootId?: string; readonly timeoutMs: number }): Promise<void> {
  try {
    await guest.waitForSsh(options);
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    throw new LabError(`the machine does not come up by itself: ${error.message}`);
  }
}

/** Upgrades, and waits until a kernel answers that is not the one that ran; whatever befalls the machine until then. */
export async function upgradeAndReturn(guest: Guest, timeoutMs: number, kernel?: string): Promise<void> {
  const before = await guest.bootId();
  await upgradeUntil(guest, LAST_LINE, kernel);
  await untilBack(guest, { afterBootId: before, timeoutMs });
}

/** What the machine says of the upgrade once it is over. */
export async function readStatus(guest: Guest): Promise<Status> {
  const { stdout, stderr } = await guest.exec('segue status --wait --json', { reject: false, timeoutMs: SETTLE_MS });
  const status = Status.safeParse(JSON.parse(stdout === '' ? 'null' : stdout));
  if (!status.success) throw new LabError(`segue status --wait --json said: ${stdout || stderr || 'nothing'}`);
  return status.data;
}
