import { badImages } from './bad-images.js';
import { badKernel } from './bad-kernel.js';
import { badStores } from './bad-stores.js';
import { badWorkloads } from './bad-workloads.js';
import type { Context } from './context.js';
import { killCriu, killSegue, randomMoments, stopSegue } from './kills.js';
import type { Trial } from './outcome.js';
import { powerCut } from './power-cut.js';

export interface Fault {
  readonly what: string;
  readonly trials: (context: Context) => AsyncGenerator<Trial>;
}

/** What befalls the machine. */
export const FAULTS = {
  'kill-segue': { what: 'SIGKILL of segue at every step of the plan', trials: killSegue },
  'stop-segue': { what: 'SIGSTOP of segue while others stand still', trials: stopSegue },
  'kill-criu': { what: 'SIGKILL of criu in every snapshot and every image', trials: killCriu },
  'random-moments': { what: 'SIGKILL or SIGTERM of segue, its guard or criu, at random moments', trials: randomMoments },
  'power-cut': { what: 'the power goes, before the jump, at it, and while workloads are restored', trials: powerCut },
  'bad-kernel': { what: 'a new kernel that panics, hangs or does not find its disk', trials: badKernel },
  'bad-stores': { what: 'a store that is full, read-only, too small or silent', trials: badStores },
  'bad-workloads': { what: 'disks that fall silent, tasks that cannot be stopped, memory that runs out', trials: badWorkloads },
  'bad-images': { what: 'images and a hand-over that are damaged, missing or of another version', trials: badImages },
} as const satisfies Record<string, Fault>;

export type FaultName = keyof typeof FAULTS;
export const FAULT_NAMES = Object.keys(FAULTS) as FaultName[];
