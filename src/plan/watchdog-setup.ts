import type { SetupStep } from '../survey/setup.ts';
import type { Watchdog } from '../tools/watchdog.ts';

export const WATCHDOG_FILE = '/etc/modprobe.d/segue.conf';

export interface WatchdogSetup {
  readonly watchdog: Watchdog | undefined;
  /** It was set up before. */
  readonly configured: boolean;
}

/** What `segue setup` does so that a watchdog outlives its kernel. */
export function planWatchdogSetup({ watchdog, configured }: WatchdogSetup): SetupStep[] {
  if (watchdog === undefined || watchdog.goesOn) return [];
  const steps: SetupStep[] = configured ? [] : [{ title: 'have watchdogs go on when a kernel ends, at each boot', action: { kind: 'write', path: WATCHDOG_FILE, content: '# Written by `segue setup`: a kernel that hangs after a jump is ended by the watchdog.\noptions watchdog stop_on_reboot=0\n' } }];
  // Whoever has it would lose it.
  if (watchdog.drivers.length === 0 || watchdog.active) return steps;
  return [...steps, { title: `load the driver of the ${watchdog.identity} anew`, action: { kind: 'run', argv: ['sh', '-c', 'modprobe --remove "$@" && modprobe --all "$@"', 'sh', ...watchdog.drivers] } }];
}
