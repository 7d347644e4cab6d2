import type { DumpOrder } from '../tools/criu.ts';
import type { ImageEdits } from '../tools/criu-images.ts';
import type { StorePlace } from './store.ts';

/**
 * What an upgrade does, as data: `--dry-run` prints these very steps, `src/upgrade/carry-out.ts` carries them out, one
 * after the other but for those in lanes, and gives up by carrying out the `undo` of those that were begun (src/upgrade/undo.ts).
 */
export interface Step {
  readonly phase: 'prepare' | 'snapshot' | 'park' | 'jump';
  /** What it does, for people; with the unit it is unique within a plan. */
  readonly title: string;
  readonly unit?: string;
  /** Steps `of` the same kind that follow each other are carried out side by side, those with the same name one after the other. */
  readonly lane?: { readonly of: string; readonly name: string };
  readonly action: Action;
  readonly undo?: Action;
}

export type Action =
  /** Runs a program; `input` goes to its standard input. Where everybody waits for it, it has a limit. */
  | { readonly kind: 'run'; readonly argv: readonly string[]; readonly input?: string; readonly limitSeconds?: number }
  /** Writes a file of root's own. What is in the container is synced as a whole, before there is a key to it on the disk. */
  | { readonly kind: 'write'; readonly path: string; readonly content: string; readonly durably?: boolean }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  | { readonly kind: 'remove'; readonly path: string }
  /** Has everything written to disk, or what is on the filesystem of one path; one that does not answer is waited for no longer. */
  | { readonly kind: 'sync'; readonly path?: string; readonly limitSeconds: number }
  /** Stops units, and sees that they stay so. */
  | { readonly kind: 'stop'; readonly units: readonly string[] }
  /** Waits until every connection to these TCP ports is accepted; if that takes its time, by those who may be slowed down at full speed. */
  | { readonly kind: 'drain'; readonly ports: readonly number[]; readonly seconds: number; readonly slowed: readonly ({ readonly controlGroup: string } & Paced)[] }
  /**
   * Images the memory of one tree while it runs, in rounds; where nobody waits, in `idleGroup`, a cgroup of the lowest weight. The
   * `last` before it is parked leave their checksums to who seals the workload, and are dropped where they do not pay.
   */
  | ({ readonly kind: 'snapshot'; readonly last: boolean; readonly idleGroup?: string } & MemorySnapshot)
  /** The same once more, and slowly from then on, for a tree that has written its memory as fast as it was read; others are left alone. */
  | ({ readonly kind: 'snapshot-slowed' } & MemorySnapshot & Paced)
  /** Has the kernel make huge pages so seldom (khugepaged): whoever has them split would have them again, and each counts as written. */
  | { readonly kind: 'make-huge-pages'; readonly everyMilliseconds: number }
  /** Counts the system calls of these workloads, so that it can be told which of them have slept. */
  | { readonly kind: 'count-calls'; readonly controlGroups: readonly string[] }
  /** Removes all that snapshots have left in the kernel. */
  | { readonly kind: 'end-snapshots' }
  /** Images all of a workload that sleeps, and lets it go on: used as it is if it sleeps still when everything stops. */
  | ({ readonly kind: 'snapshot-whole' } & WholeSnapshot)
  /** Looks at the tasks and files of the workloads that have such an image. */
  | { readonly kind: 'look'; readonly workloads: readonly ProvableWorkload[] }
  /** Stops those, and finds out whose is current; the others go on until they are imaged. */
  | { readonly kind: 'prove'; readonly workloads: readonly ProvableWorkload[] }
  /** Lets these cgroups run again. */
  | { readonly kind: 'thaw'; readonly controlGroups: readonly string[] }
  /** Lets a cgroup run again, as fast as it did. */
  | ({ readonly kind: 'full-speed'; readonly controlGroup: string } & Paced)
  /** Stops one tree of a workload and images it, unless an image of it is proven current. */
  | ({ readonly kind: 'dump'; readonly unit: string; readonly argv: readonly string[]; readonly handover: string; readonly memory: number; readonly images: string; readonly controlGroup: string; readonly pid: number; readonly startTime: number } & Partial<Paced> & ImageEdits)
  /** Lets the tasks of a cgroup run again, with their connections as they were, but for those that were stopped before. */
  | { readonly kind: 'resume'; readonly controlGroup: string; readonly keepStopped: readonly number[] }
  /** Deletes every lock on sockets, segue's and CRIU's. */
  | { readonly kind: 'unlock' }
  /** Computes the checksums of what is in the hand-over already. */
  | { readonly kind: 'sum'; readonly handover: string }
  /** Writes these workloads' locks for the new kernel, and their checksums. */
  | { readonly kind: 'seal-workloads'; readonly handover: string; readonly workloads: readonly SealedWorkload[] }
  /** Puts all locks together, and writes the other checksums: the hand-over is complete. */
  | { readonly kind: 'seal'; readonly handover: string; readonly units: readonly string[] }
  /** Makes the place for the hand-over, unless it is open already; nothing is left of it when it is wiped. */
  | { readonly kind: 'open-store'; readonly place: StorePlace }
  /** How much everybody else comes before the kernel's part of writing to it. */
  | { readonly kind: 'store-nice'; readonly place: StorePlace; readonly nice: number }
  | { readonly kind: 'wipe-store'; readonly place: StorePlace }
  /** Waits until no unit runs that the plan does not know of. */
  | { readonly kind: 'await-newcomers'; readonly known: readonly string[]; readonly seconds: number }
  /** Waits until nobody forbids a shutdown, but for those of cgroups that are stopped before. */
  | { readonly kind: 'await-inhibitors'; readonly stopped: readonly string[]; readonly seconds: number }
  /** Looks whether all stand still as they were imaged. */
  | { readonly kind: 'confirm'; readonly workloads: readonly ConfirmableWorkload[] }
  /** Starts the new kernel. Does not return. */
  | { readonly kind: 'jump' };

/** Rounds of the memory of one tree. */
export interface MemorySnapshot {
  readonly unit: string;
  /** Its folder in the hand-over. */
  readonly workload: string;
  readonly handover: string;
  readonly controlGroup: string;
  readonly order: DumpOrder;
  /** Where the rounds are. */
  readonly folder: string;
  readonly startTime: number;
  /** What all of them together may write, bytes. */
  readonly budget: number;
}

export interface Paced {
  /** How much of the processors the cgroup may have when it is not slowed down: its `cpu.max`, `$MAX $PERIOD` in microseconds (cgroup-v2.rst). */
  readonly limit: string;
}
/** Of one that has none: where the controller is not on for it there is no such file. */
export const NO_LIMIT = 'max 100000';

export interface WholeSnapshot extends ImageEdits {
  readonly unit: string;
  /** Its folder in the hand-over. */
  readonly workload: string;
  readonly handover: string;
  readonly controlGroup: string;
  /** The cgroup of the lowest weight, for what can be done when the workload runs on. */
  readonly idleGroup: string;
  readonly hostNetwork: boolean;
  /** `large`: rounds of its memory come before. */
  readonly trees: readonly { readonly order: DumpOrder; readonly folder: string; readonly startTime: number; readonly large: boolean }[];
}

export type ConfirmableWorkload = Pick<SealedWorkload, 'unit' | 'controlGroup' | 'images'>;

export interface ProvableWorkload {
  readonly unit: string;
  readonly workload: string;
  readonly controlGroup: string;
}

/** What a step has to say for the journal, and the report. */
export interface Note {
  readonly event: string;
  readonly unit?: string;
  readonly why?: string;
  /** Of a snapshot: what each of its rounds wrote, and for how long it held the tasks. */
  readonly rounds?: readonly { readonly bytes: number; readonly heldMs: number }[];
  /** Since when (RFC 3339) and to what it is slowed down, until it is imaged: its `cpu.max`. */
  readonly slowedAt?: string;
  readonly slowedTo?: string;
  /** Of an image: memory that it has itself, and that a snapshot has for it, bytes. */
  readonly bytes?: number;
  readonly earlierBytes?: number;
  /** For how long CRIU held the tasks, milliseconds. */
  readonly heldMs?: number;
  /** Connections whose windows were edited (mendWindows() in src/tools/criu-images.ts). */
  readonly mended?: number;
  /** The snapshot is an image of everything, not of memory only. */
  readonly whole?: boolean;
  /** Whose image was proven current, and when they had been stopped (RFC 3339); who is imaged again, and why. */
  readonly current?: readonly string[];
  readonly stoppedAt?: string;
  readonly changed?: readonly { readonly unit: string; readonly why: string }[];
}

export interface SealedWorkload {
  readonly unit: string;
  readonly controlGroup: string;
  /** It has sockets in the machine's own network namespace. */
  readonly hostNetwork: boolean;
  /** Names of its archives. */
  readonly archives: readonly string[];
  readonly images: readonly string[];
}
