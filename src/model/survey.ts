import type { Mount } from './task.ts';
import type { Afresh, Workload } from './workload.ts';

/** The machine as it is: what can be carried, what is started afresh in any case. */
export interface Survey {
  readonly workloads: readonly Workload[];
  readonly afresh: readonly Afresh[];
  /** The mounts of the machine itself. */
  readonly hostMounts: readonly Mount[];
  /** Where a unit of systemd mounts something, of its own or out of fstab(5): it is mounted there after every boot. */
  readonly mountedByUnits: ReadonlySet<string>;
  /** Process ids below this one may be taken by the new kernel. */
  readonly reservedPids: number;
}
