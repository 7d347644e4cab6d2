import { setTimeout as sleep } from 'node:timers/promises';
import { Status } from '../demo/upgrade.js';
import { LabError } from '../errors.js';
import type { Guest } from '../lab.js';

const UPGRADE = 'segue upgrade --to newest --yes 2>&1';
/** The last line that it says before the new kernel starts. */
export const LAST_LINE = 'from here on it cannot be given up';
const UPGRADE_MS = 600_000;
const SETTLE_MS = 400_000;
const CONNECTION_LOST = 255;

/** Begins an upgrade; resolves when it says a line, or when `console` is on the guest's serial console. */
export async function upgradeUntil(guest: Guest, { line, console }: { readonly line: string; readonly console?: string }): Promise<void> {
  let said: () => void = () => undefined;
  const reached = new Promise<'reached'>((resolve) => (said = () => resolve('reached')));
  const ended = guest.exec(UPGRADE, { reject: false, timeoutMs: UPGRADE_MS, onLine: (each) => { if (each.includes(line)) said(); } });
  const first = await Promise.race([reached, ended]);
  if (first !== 'reached' && first.exitCode !== CONNECTION_LOST) throw gaveUp(first);
  if (console === undefined) return;
  const end = performance.now() + UPGRADE_MS;
  while (!guest.consoleTail(200).includes(console)) {
    if (performance.now() > end) throw new LabError(`the guest's console has never had "${console}"; its end:\n${guest.consoleTail()}`);
    await sleep(100);
  }
}

/** Upgrades, and waits until a kernel answers that is not the one that ran; whatever has befallen the machine until then. */
export async function upgradeAndReturn(guest: Guest, timeoutMs: number): Promise<void> {
  const before = await guest.bootId();
  let jumps: () => void = () => undefined;
  const jumping = new Promise<undefined>((resolve) => (jumps = () => resolve(undefined)));
  const ended = guest.exec(UPGRADE, { reject: false, timeoutMs: UPGRADE_MS, onLine: (line) => { if (line.includes(LAST_LINE)) jumps(); } });
  const first = await Promise.race([jumping, ended]);
  if (first !== undefined && first.exitCode !== CONNECTION_LOST) throw gaveUp(first);
  await guest.waitForSsh({ afterBootId: before, timeoutMs });
}

const gaveUp = ({ exitCode, stdout }: { exitCode: number; stdout: string }): LabError =>
  new LabError(`segue upgrade ended with ${exitCode} on the old kernel: ${stdout.split('\n').slice(-6).join(' | ')}`);

/** What the machine says of the upgrade once it is over. */
export async function readStatus(guest: Guest): Promise<Status> {
  const { stdout, stderr } = await guest.exec('segue status --wait --json', { reject: false, timeoutMs: SETTLE_MS });
  const status = Status.safeParse(JSON.parse(stdout === '' ? 'null' : stdout));
  if (!status.success) throw new LabError(`segue status --wait --json said: ${stdout || stderr || 'nothing'}`);
  return status.data;
}
