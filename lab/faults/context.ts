import type { Lab, SavedState } from '../lab.js';
import type { Random } from '../random.js';

/** What every fault is tried with. */
export interface Context {
  readonly lab: Lab;
  /** The guest to begin with. */
  readonly state: SavedState;
  readonly random: Random;
  /** How many random moments are tried. */
  readonly moments: number;
  /** Whether a trial is to be made, by its words. */
  readonly wanted: (what: string) => boolean;
}
