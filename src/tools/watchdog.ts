import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { runOk } from './command.ts';
import type { Result } from '../failure/result.ts';

/** The machine's first watchdog, as sysfs shows it (Documentation/ABI/testing/sysfs-class-watchdog). */
export interface Watchdog {
  readonly identity: string;
  /** The modules that have registered one, as some have no device by which to tell; none where it is built in. */
  readonly drivers: readonly string[];
  /** What it can be set to at most, seconds; 0 if its driver does not say. */
  readonly longest: number;
  /** It counts, and somebody keeps it from coming to its end. */
  readonly active: boolean;
  /** No driver stops it when a kernel ends (`stop_on_reboot` in drivers/watchdog/watchdog_core.c): kexec tells them of a reboot. */
  readonly goesOn: boolean;
}

/** One in software ends with its kernel; the others come from the hardware, or the hypervisor. */
const SOFTWARE = 'softdog';

/** None if there is none that outlives a kernel. */
export function findWatchdog(sys = '/sys'): Watchdog | undefined {
  const path = `${sys}/class/watchdog/watchdog0`;
  const text = (file: string): string => (existsSync(file) ? readFileSync(file, 'utf8').trim() : '');
  const drivers = (existsSync(`${sys}/module/watchdog/holders`) ? readdirSync(`${sys}/module/watchdog/holders`) : []).filter((name) => !name.startsWith('pretimeout_'));
  if (!existsSync(path) || (drivers.length === 1 && drivers[0] === SOFTWARE)) return undefined;
  return {
    identity: text(`${path}/identity`) || 'watchdog0',
    drivers,
    longest: Number(text(`${path}/max_timeout`)),
    active: text(`${path}/state`) === 'active',
    goesOn: text(`${sys}/module/watchdog/parameters/stop_on_reboot`) === '0',
  };
}

const PROPERTY = ['org.freedesktop.systemd1', '/org/freedesktop/systemd1', 'org.freedesktop.systemd1.Manager', 'RuntimeWatchdogUSec'];

/** RuntimeWatchdogSec= of systemd-system.conf(5), as it is now: microseconds, in decimal; 0 if systemd leaves the watchdog alone. */
export async function systemdsWatchdog(): Promise<Result<string>> {
  const shown = await runOk(['busctl', 'get-property', ...PROPERTY]);
  return shown.ok ? { ...shown, value: /^t (\d+)$/m.exec(shown.value)?.[1] ?? '0' } : shown;
}

/** Has systemd set the watchdog to each of these in turn (org.freedesktop.systemd1(5)); what it is set to already, it does not hear. */
export const setWatchdog = (...microseconds: readonly string[]): string[] => ['sh', '-c', `for usec; do busctl set-property ${PROPERTY.join(' ')} t "$usec" || exit; done`, 'sh', ...microseconds];
