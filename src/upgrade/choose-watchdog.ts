import type { WatchdogChoice } from '../model/watchdog.ts';
import { modulesFor } from '../tools/modprobe.ts';
import { findWatchdog, systemdsWatchdog, type Watchdog } from '../tools/watchdog.ts';

/**
 * From the jump until all is back, seconds: the kernel itself, the files on tmpfs, also where a disk reads 10 MiB a second, and the
 * two minutes for which boot/boot waits for the restores.
 */
export const secondsFor = (files: number): number => 300 + Math.ceil(files / (10 * 2 ** 20));

/** What is known of it. */
export interface Known {
  readonly watchdog: Watchdog;
  /** As systemd has set it. */
  readonly before: string;
  /** Of its drivers those that the new kernel does not know. */
  readonly unknown: readonly string[];
}

/**
 * It is used if nobody else has it, if a good kernel is there before its time is over, and if that has a driver to stop it.
 */
export function judge({ watchdog, before, unknown }: Known, release: string, seconds: number): WatchdogChoice {
  const { identity, drivers, goesOn } = watchdog;
  const stopped = (why: string): WatchdogChoice => ({ kind: 'stopped', identity, why, before });
  if (watchdog.active && before === '0') return stopped('another program has it');
  if (watchdog.longest < seconds) return stopped(`it cannot be set to ${seconds.toString()} s`);
  if (drivers.length === 0) return stopped('its driver is no module');
  if (unknown.length > 0) return stopped(`Linux ${release} has no ${unknown.join(', ')}`);
  return { kind: 'counts', identity, seconds, drivers, before, goesOn };
}

/** A kernel that hangs is ended by nothing but a watchdog in hardware. `files`: bytes that are put back before the first restore. */
export async function chooseWatchdog(release: string, files: number): Promise<WatchdogChoice> {
  const watchdog = findWatchdog();
  if (watchdog === undefined) return { kind: 'none' };
  const [before, { unknown }] = await Promise.all([systemdsWatchdog(), modulesFor(release, watchdog.drivers)]);
  return judge({ watchdog, before: before.ok ? before.value : '0', unknown }, release, secondsFor(files));
}
