/** What is to become of a workload, by design. */
export type Fate = 'restored' | 'afresh' | 'either';

/** One fault that befell one upgrade. */
export interface Trial {
  readonly fault: string;
  /** What was done, and when. */
  readonly what: string;
  /** The fault came about: a moment may be over before it is hit. */
  readonly struck: boolean;
  /** What was lost, in words; nothing if all was as it is to be. */
  readonly lost: readonly string[];
  /** What became of the upgrade, and of each service. */
  readonly became?: string;
  /** From the fault, or from when the upgrade gave up, until no task stood still any more; by the guest's clock. */
  readonly stillMs?: number;
  /** The same until no socket was locked. */
  readonly lockedMs?: number;
  readonly tookMs: number;
}

export interface FaultOutcome {
  readonly name: string;
  readonly tried: number;
  readonly survived: number;
  readonly lost: readonly string[];
  /** Trials whose moment was over before it was hit. */
  readonly missed: number;
  readonly longestStillMs?: number;
  readonly longestLockedMs?: number;
}

const longest = (values: readonly (number | undefined)[]): number | undefined => {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
};

/** All trials of one fault; undefined if there was none. */
function outcomeOf(name: string, trials: readonly Trial[]): FaultOutcome {
  const struck = trials.filter((trial) => trial.struck);
  const longestStillMs = longest(struck.map(({ stillMs }) => stillMs));
  const longestLockedMs = longest(struck.map(({ lockedMs }) => lockedMs));
  return {
    name,
    tried: struck.length,
    survived: struck.filter(({ lost }) => lost.length === 0).length,
    // Also what was lost without the fault is lost.
    lost: trials.flatMap(({ what, lost }) => lost.map((each) => `${what}: ${each}`)),
    missed: trials.length - struck.length,
    ...(longestStillMs === undefined ? {} : { longestStillMs }),
    ...(longestLockedMs === undefined ? {} : { longestLockedMs }),
  };
}

/** Each fault that was tried, in the order of the first trials. */
export function outcomes(trials: readonly Trial[]): FaultOutcome[] {
  const names = [...new Set(trials.map(({ fault }) => fault))];
  return names.map((name) => outcomeOf(name, trials.filter(({ fault }) => fault === name)));
}
