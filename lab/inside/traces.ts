import { readUnits, type UnitState } from '../demo/services.js';
import type { Guest } from '../lab.js';
import { lines } from './command.js';

/** What an upgrade that did not happen might have left behind, and the services as they are. */
export interface Traces {
  readonly units: readonly UnitState[];
  readonly lockTables: readonly string[];
  readonly stoppedTasks: readonly string[];
  readonly frozenUnits: readonly string[];
  /** Whose time on the processors is limited. */
  readonly slowedUnits: readonly string[];
  /** Instances of the kernel's tracing. */
  readonly tracing: readonly string[];
  readonly loadedKernels: readonly string[];
  /** Of images: hand-overs, their containers and keys, on disks, in memory and in the kernel. */
  readonly handovers: readonly string[];
  /** Names that CRIU gives to files that a task has open without one. */
  readonly linkRemaps: readonly string[];
}

const NO_TRACES = { lockTables: [], stoppedTasks: [], frozenUnits: [], slowedUnits: [], tracing: [], loadedKernels: ['0'], handovers: [], linkRemaps: [] } as const;

/** The command for each kind of trace; an emulated guest takes seconds to start eight shells. */
const LOCK_TABLES = "nft list tables | grep -E ' (segue|CRIU)-'";
const HANDOVERS = `find /var/lib/segue/upgrades -mindepth 2 -maxdepth 2 '(' -name handover -o -name vault -o -name ram -o -name key -o -name keep-until ')' 2>/dev/null
ls -d /dev/segue /dev/mapper/segue-* 2>/dev/null
losetup --noheadings --output BACK-FILE | grep segue
grep segue /proc/mounts`;
const COMMANDS = {
  lockTables: LOCK_TABLES,
  stoppedTasks: "ps -eo stat=,pid=,comm= | grep -i '^t'",
  frozenUnits: 'grep -l 1 /sys/fs/cgroup/system.slice/*/cgroup.freeze',
  slowedUnits: "grep -L '^max ' /sys/fs/cgroup/system.slice/*/cpu.max",
  tracing: 'ls /sys/kernel/tracing/instances',
  loadedKernels: 'cat /sys/kernel/kexec_loaded',
  handovers: HANDOVERS,
  linkRemaps: 'find /var/lib -maxdepth 1 -name "link_remap.*"',
} as const satisfies Record<Exclude<keyof Traces, 'units'>, string>;

/** `patterns` are the services to look at; those of the demo, if none are named. */
export async function readTraces(guest: Guest, patterns?: readonly string[]): Promise<Traces> {
  const script = Object.entries(COMMANDS).map(([kind, command]) => `{ ${command}\n} | sed 's/^/${kind} /'`).join('\n');
  const [units, found] = await Promise.all([readUnits(guest, patterns), lines(guest, script)]);
  const of = (kind: keyof typeof COMMANDS): string[] => found.filter((line) => line.startsWith(`${kind} `)).map((line) => line.slice(kind.length + 1));
  return {
    units,
    lockTables: of('lockTables'),
    stoppedTasks: of('stoppedTasks'),
    frozenUnits: of('frozenUnits'),
    slowedUnits: of('slowedUnits'),
    tracing: of('tracing'),
    loadedKernels: of('loadedKernels'),
    handovers: of('handovers'),
    linkRemaps: of('linkRemaps'),
  };
}

export async function readHandovers(guest: Guest): Promise<string[]> {
  return await lines(guest, `${HANDOVERS}\ntrue`);
}

/** Segue's own locks on sockets, and CRIU's. */
export async function readLockTables(guest: Guest): Promise<string[]> {
  return await lines(guest, `${LOCK_TABLES} || true`);
}

/** The machine as it is to be when an upgrade was refused or given up: the same processes, and no trace. */
export function untouched(units: readonly UnitState[]): Traces {
  return { units: units.map((unit) => ({ ...unit, active: true })), ...NO_TRACES };
}
