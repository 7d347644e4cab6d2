/**
 * What an upgrade does, as data: `--dry-run` prints these very steps, `src/upgrade/run.ts` carries them out one after
 * the other, and gives up by carrying out the `undo` of those that were begun, last one first.
 */
export interface Step {
  readonly phase: 'prepare' | 'park' | 'jump';
  /** What it does, for people; with the unit it is unique within a plan. */
  readonly title: string;
  readonly unit?: string;
  readonly action: Action;
  readonly undo?: Action;
}

export type Action =
  /** Runs a program; `input` goes to its standard input. */
  | { readonly kind: 'run'; readonly argv: readonly string[]; readonly input?: string }
  /** Writes a file of root's own. */
  | { readonly kind: 'write'; readonly path: string; readonly content: string }
  | { readonly kind: 'make-folder'; readonly path: string }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  | { readonly kind: 'remove'; readonly path: string }
  /** Waits until every connection to these TCP ports is accepted. */
  | { readonly kind: 'drain'; readonly ports: readonly number[]; readonly seconds: number }
  /** Images one tree of a workload and leaves it stopped. */
  | { readonly kind: 'dump'; readonly unit: string; readonly argv: readonly string[]; readonly images: string; readonly privateUsers: boolean; readonly pid: number; readonly startTime: number }
  /** Lets the tasks of a cgroup run again, but for those that were stopped before. */
  | { readonly kind: 'resume'; readonly controlGroup: string; readonly keepStopped: readonly number[]; readonly images: string }
  /** Deletes every lock on sockets, segue's and CRIU's. */
  | { readonly kind: 'unlock' }
  /** Writes the locks of the new kernel and the checksums: the hand-over is complete. */
  | { readonly kind: 'seal'; readonly handover: string; readonly workloads: readonly SealedWorkload[] }
  /** Starts the new kernel. Does not return. */
  | { readonly kind: 'jump' };

export interface SealedWorkload {
  readonly unit: string;
  readonly controlGroup: string;
  /** It has sockets in the machine's own network namespace. */
  readonly hostNetwork: boolean;
  readonly images: readonly string[];
}
