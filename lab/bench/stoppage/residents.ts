import type { Guest } from '../../lab.js';
import { CRITICAL_MIB, type Sleepers } from './cases.js';

export const CRITICAL = 'critical.service';
export const REDIS = 'redis-server.service';
const WAIT_MS = 900_000;

/** Fills its memory, then calls itself `asleep` and sleeps; or, told so, `awake`, and writes to it a hundred times a second. */
const PROGRAM = `#!/usr/bin/perl
my ($mib) = $ARGV[0] =~ /^(\\d+)/;
my $awake = ($ARGV[1] // '') eq 'awake';
open my $random, '<:raw', '/dev/urandom' or die;
our $memory = '';
sysread $random, $memory, 1 << 20, length $memory for 1 .. $mib;
close $random;
$0 = $awake ? 'awake' : 'asleep';
sleep 1000 while !$awake;
while (1) {
  substr $memory, int rand length $memory, 1, 'x';
  select undef, undef, undef, 0.01;
}
`;

const FILES: Readonly<Record<string, string>> = {
  '/usr/local/bin/resident': PROGRAM,
  // The instance is the size, and a number to tell it from others of its size.
  '/etc/systemd/system/resident@.service': '[Unit]\nDescription=%i: a workload that sleeps\n[Service]\nExecStart=/usr/local/bin/resident %i\n',
  [`/etc/systemd/system/${CRITICAL}`]: `[Unit]\nDescription=A critical workload that does not sleep\n[Service]\nExecStart=/usr/local/bin/resident ${CRITICAL_MIB} awake\n`,
  [`/etc/systemd/system/${CRITICAL}.d/priority.conf`]: '[X-Segue]\nPriority=100\n',
};

/** All that `installResidents` brings into the guest, for whoever keeps a guest that has it. */
export const RESIDENTS = JSON.stringify(FILES);

export async function installResidents(guest: Guest): Promise<void> {
  await installFiles(guest, FILES);
}

async function installFiles(guest: Guest, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await guest.exec(`install -D -m ${path.includes('/bin/') ? 755 : 644} /dev/stdin ${path}`, { input: content });
  }
  await guest.exec(['systemctl', 'daemon-reload']);
}

/** Units of these sleepers. */
export function unitsOf(sleepers: readonly Sleepers[]): string[] {
  return sleepers.flatMap(({ count, mib }) => Array.from({ length: count }, (_, index) => `${prefix(mib)}${index + 1}.service`));
}

const prefix = (mib: number): string => `resident@${mib}-`;
export const hasSizeOfCritical = (unit: string): boolean => unit.startsWith(prefix(CRITICAL_MIB));

/** Starts them, and the critical one; returns when all have their memory and sleep. */
export async function startResidents(guest: Guest, sleepers: readonly Sleepers[]): Promise<void> {
  const units = unitsOf(sleepers);
  await guest.exec(`xargs systemctl start ${CRITICAL}`, { input: units.join('\n'), timeoutMs: WAIT_MS });
  await guest.exec(`until [ "$(pgrep -cx asleep)" -eq ${units.length} ] && pgrep -x awake; do sleep 0.5; done`, { timeoutMs: WAIT_MS });
}

/** It is held in the stoppage only. */
export async function forbidSnapshots(guest: Guest, unit: string): Promise<void> {
  await installFiles(guest, { [`/etc/systemd/system/${unit}.d/snapshot.conf`]: '[X-Segue]\nSnapshot=no\n' });
}
