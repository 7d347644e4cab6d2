import { describe, type Remedy } from '../failure/obstacle.ts';
import type { Survey } from '../model/survey.ts';
import type { Action } from '../model/step.ts';

export interface SetupStep {
  readonly title: string;
  readonly action: Extract<Action, { kind: 'run' | 'write' | 'remove' }>;
}

export interface Setup {
  readonly steps: readonly SetupStep[];
  /** Units that must be restarted once before they can be carried. */
  readonly restart: readonly string[];
}

const SYSCTL_FILE = '/etc/sysctl.d/60-segue.conf';

/** What each remedy does: for good, and for what is started from now on. */
const REMEDIES: Readonly<Record<Remedy, (reserved: number) => SetupStep[]>> = {
  io_uring: () => [
    { title: 'turn io_uring off at each boot', action: { kind: 'write', path: SYSCTL_FILE, content: '# Written by `segue setup`: CRIU cannot image io_uring.\nkernel.io_uring_disabled = 2\n' } },
    { title: 'turn io_uring off now', action: { kind: 'run', argv: ['sysctl', '--quiet', '--write', 'kernel.io_uring_disabled=2'] } },
  ],
  'pid-reservation': (reserved) => [
    { title: 'reserve the low process ids at each boot', action: { kind: 'run', argv: ['systemctl', 'enable', 'segue-reserve.service'] } },
    { title: 'reserve the low process ids now', action: { kind: 'run', argv: ['sysctl', '--quiet', '--write', `kernel.ns_last_pid=${Math.max(3000, reserved).toString()}`] } },
  ],
};

/** The remedies that are safe to apply, for the obstacles that there are. */
export function planSetup({ workloads, reservedPids }: Survey): Setup {
  const remedies = new Set<Remedy>();
  const restart: string[] = [];
  for (const { unit, obstacles } of workloads) {
    const setups = obstacles.map((obstacle) => describe(obstacle).setup);
    for (const remedy of setups) if (remedy !== undefined) remedies.add(remedy);
    if (setups.length > 0 && setups.every((remedy) => remedy !== undefined)) restart.push(unit);
  }
  return { steps: [...remedies].flatMap((remedy) => REMEDIES[remedy](reservedPids)), restart };
}
