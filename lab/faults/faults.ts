import type { Context } from './context.js';
import { killCriu, killSegue, randomMoments } from './kills.js';
import type { Trial } from './outcome.js';

export interface Fault {
  readonly what: string;
  readonly trials: (context: Context) => AsyncGenerator<Trial>;
}

/** What befalls the machine, from what is easily survived to what is not. */
export const FAULTS = {
  'kill-segue': { what: 'SIGKILL of segue at every step of the plan', trials: killSegue },
  'kill-criu': { what: 'SIGKILL of criu in every snapshot and every image', trials: killCriu },
  'random-moments': { what: 'SIGKILL or SIGTERM of segue, its guard or criu, at random moments', trials: randomMoments },
} as const satisfies Record<string, Fault>;

export type FaultName = keyof typeof FAULTS;
export const FAULT_NAMES = Object.keys(FAULTS) as FaultName[];
