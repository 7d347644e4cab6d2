import { readdirSync, readFileSync, type Dirent } from 'node:fs';

/**
 * The units that have a process, be they active or not, of those that are wanted. Login sessions, which end, are not looked at.
 * systemd puts `_` before a name that is one of the kernel's own files (systemd.resource-control(5)).
 */
export function busyUnits(wanted: (unit: string) => boolean, slice = '/sys/fs/cgroup'): string[] {
  return foldersIn(slice).flatMap(({ name }) => {
    if (name === 'user.slice') return [];
    if (name.endsWith('.slice')) return busyUnits(wanted, `${slice}/${name}`);
    const unit = name.replace(/^_/, '');
    return /\.(service|scope)$/.test(name) && wanted(unit) && isBusy(`${slice}/${name}`) ? [unit] : [];
  });
}

function foldersIn(slice: string): Dirent[] {
  try {
    return readdirSync(slice, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  } catch {
    return []; // its last unit has ended
  }
}

/** cgroup-v2.rst, "cgroup.events" */
function isBusy(controlGroup: string): boolean {
  try {
    return /^populated 1$/m.test(readFileSync(`${controlGroup}/cgroup.events`, 'utf8'));
  } catch {
    return false; // it has ended
  }
}

/** A command that runs in a cgroup, if it is still there. */
export const inGroup = (argv: readonly string[], group: string | undefined): readonly string[] =>
  group === undefined ? argv : ['sh', '-c', '{ echo $$ >"/sys/fs/cgroup$0/cgroup.procs" || :; } 2>/dev/null; exec "$@"', group, ...argv];
