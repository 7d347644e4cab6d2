import { execa } from 'execa';
import { z } from 'zod';
import { LabError } from '../errors.js';
import { sshCommand } from '../guest/ssh.js';
import type { Guest } from '../lab.js';

/** Under emulation each of 200 workloads takes seconds to be restored, and ssh comes after all of them. */
const UPGRADE_MS = 3_600_000;
const JUMP_MS = 3_600_000;
const SETTLE_MS = 1_800_000;
/** ssh's own exit code when the connection was lost, which it is at the jump. */
const CONNECTION_LOST = 255;

/** What the benchmark needs of `segue status --json`. */
const Status = z.object({
  id: z.string(),
  state: z.string(),
  store: z.string().optional(),
  workloads: z.array(z.object({ unit: z.string(), fate: z.string(), why: z.string().optional(), parkedAt: z.string().optional(), heldMs: z.number().optional() })),
});
export type Status = z.infer<typeof Status>;

/** Runs `segue upgrade` onto another kernel or the same one, and waits on the new one until all is settled. */
export async function upgrade(guest: Guest, options: readonly string[], to?: string): Promise<Status> {
  const before = await guest.bootId();
  const command = ['segue upgrade --yes --to', to ?? (await guest.kernelRelease()), ...options].join(' ');
  // A connection of its own: all others are to be idle when everything is stopped.
  const [file = '', ...args] = sshCommand(guest.ssh, command, { shared: false, tty: false });
  const { exitCode, all } = await execa(file, args, { reject: false, stdin: 'ignore', all: true, timeout: UPGRADE_MS });
  if (exitCode !== CONNECTION_LOST) throw new LabError(`segue upgrade ended with ${exitCode ?? 'a signal'} on the old kernel:\n${all.split('\n').slice(-30).join('\n')}`);
  await guest.waitForSsh({ afterBootId: before, timeoutMs: JUMP_MS });
  const { stdout, stderr } = await guest.exec('segue status --wait --json', { reject: false, timeoutMs: SETTLE_MS });
  const status = Status.safeParse(JSON.parse(stdout === '' ? 'null' : stdout));
  if (!status.success) throw new LabError(`segue status --wait --json said: ${stdout || stderr || 'nothing'}`);
  return status.data;
}

/** A stoppage is worth nothing if it lost somebody. Throws unless exactly these units, and all of them, were restored. */
export function requireAllRestored({ state, workloads }: Status, units: readonly string[]): void {
  const restored = new Set(workloads.filter(({ fate }) => fate === 'restored').map(({ unit }) => unit));
  const lost = [
    ...workloads.filter(({ fate }) => fate !== 'restored').map(({ unit, fate, why }) => `${unit}: ${fate}${why === undefined ? '' : `, ${why}`}`),
    ...units.filter((unit) => !workloads.some((workload) => workload.unit === unit)).map((unit) => `${unit}: not carried`),
    ...[...restored].filter((unit) => !units.includes(unit)).map((unit) => `${unit}: carried as well, which this case knows nothing of`),
  ];
  if (state !== 'settled' || lost.length > 0) throw new LabError(`the upgrade is ${state}, and not all is as it is to be:\n${lost.join('\n')}`);
}
