/** What one round of a snapshot came to. */
export interface Round {
  /** Bytes of memory that it wrote. */
  readonly bytes: number;
  /** How long the tasks were held, milliseconds. */
  readonly heldMs: number;
}

/** A tree that was held for longer than this, milliseconds, is not held again before the stoppage. */
export const LONGEST_HOLD = 5000;
const MAX_ROUNDS = 6;
const MAX_MILLISECONDS = 600_000;
/** What is left to the stoppage then costs less than a further round. */
const LITTLE = 4 * 2 ** 20;
/** Pages that are here and there in several images take several times as long, at a restore above all, as memory that is in one piece. */
const HOPELESS = 0.25;
/** So much is left to the stoppage where the rounds have caught up, as a part of the memory. */
const CAUGHT_UP = 0.1;
/** A round that leaves more than this part of the one before has met the rate at which the tasks write. */
const PAYS = 0.7;

/**
 * Whether a further round pays. Each reads what was written while the one before was read: the rounds get smaller as
 * long as memory is read faster than it is written (pre-copy: Clark et al., "Live Migration of Virtual Machines", NSDI
 * 2005). `budget` bounds all the rounds of a tree, bytes; they have taken `elapsed` milliseconds so far.
 */
export function anotherRound(rounds: readonly Round[], budget: number, elapsed: number): boolean {
  const last = rounds.at(-1);
  if (last === undefined) return true;
  const before = rounds.at(-2);
  const total = rounds.reduce((sum, { bytes }) => sum + bytes, 0);
  return rounds.length < MAX_ROUNDS && last.heldMs <= LONGEST_HOLD && elapsed < MAX_MILLISECONDS && last.bytes > LITTLE && (before === undefined || last.bytes < PAYS * before.bytes) && total + last.bytes <= budget;
}

/** Whether rounds that leave so much to the next have not caught up with what the tree writes to its `memory`, bytes. */
export const fallsBehind = (left: number, memory: number): boolean => left > CAUGHT_UP * memory;

/** Whether so much is left that the tree had better be imaged as a whole. */
export const isHopeless = (left: number, memory: number): boolean => left > HOPELESS * memory;
