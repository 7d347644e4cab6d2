import { readUnits, type UnitState } from '../demo/services.js';
import type { Guest } from '../lab.js';
import { lines } from './command.js';

/** What an upgrade that did not happen might have left behind, and the services as they are. */
export interface Traces {
  readonly units: readonly UnitState[];
  readonly lockTables: readonly string[];
  readonly stoppedTasks: readonly string[];
  readonly frozenUnits: readonly string[];
  /** Instances of the kernel's tracing. */
  readonly tracing: readonly string[];
  readonly loadedKernels: readonly string[];
  /** Of images: hand-overs, their containers and keys, on disks, in memory and in the kernel. */
  readonly handovers: readonly string[];
  /** Names that CRIU gives to files that a task has open without one. */
  readonly linkRemaps: readonly string[];
}

const NO_TRACES = { lockTables: [], stoppedTasks: [], frozenUnits: [], tracing: [], loadedKernels: ['0'], handovers: [], linkRemaps: [] } as const;

/** `patterns` are the services to look at; those of the demo, if none are named. */
export async function readTraces(guest: Guest, patterns?: readonly string[]): Promise<Traces> {
  const [units, lockTables, stoppedTasks, frozenUnits, tracing, loadedKernels, handovers, linkRemaps] = await Promise.all([
    readUnits(guest, patterns),
    readLockTables(guest),
    lines(guest, "ps -eo stat=,pid=,comm= | grep -i '^t' || true"),
    lines(guest, 'grep -l 1 /sys/fs/cgroup/system.slice/*/cgroup.freeze || true'),
    lines(guest, 'ls /sys/kernel/tracing/instances'),
    lines(guest, 'cat /sys/kernel/kexec_loaded'),
    readHandovers(guest),
    lines(guest, 'find /var/lib -maxdepth 1 -name "link_remap.*"'),
  ]);
  return { units, lockTables, stoppedTasks, frozenUnits, tracing, loadedKernels, handovers, linkRemaps };
}

export async function readHandovers(guest: Guest): Promise<string[]> {
  return await lines(guest, `find /var/lib/segue/upgrades -mindepth 2 -maxdepth 2 '(' -name handover -o -name vault -o -name ram -o -name key -o -name keep-until ')' 2>/dev/null
ls -d /dev/segue /dev/mapper/segue-* 2>/dev/null
losetup --noheadings --output BACK-FILE | grep segue
grep segue /proc/mounts
true`);
}

/** Segue's own locks on sockets, and CRIU's. */
export async function readLockTables(guest: Guest): Promise<string[]> {
  return await lines(guest, "nft list tables | grep -E ' (segue|CRIU)-' || true");
}

/** The machine as it is to be when an upgrade was refused or given up: the same processes, and no trace. */
export function untouched(units: readonly UnitState[]): Traces {
  return { units: units.map((unit) => ({ ...unit, active: true })), ...NO_TRACES };
}
