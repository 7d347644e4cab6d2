import type { Mount } from './task.ts';
import type { Afresh, Workload } from './workload.ts';

/** The machine as it is: what can be carried, what is started afresh in any case. */
export interface Survey {
  readonly workloads: readonly Workload[];
  readonly afresh: readonly Afresh[];
  /** The mounts of the machine itself. */
  readonly hostMounts: readonly Mount[];
  /** Process ids below this one may be taken by the new kernel. */
  readonly reservedPids: number;
}
