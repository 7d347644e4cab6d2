import { promises as fs } from 'node:fs';
import { ok, type Result } from '../failure/result.ts';
import { doubtWords } from '../model/doubt.ts';
import type { Action, Note } from '../model/step.ts';
import { limitOf, setLimit, slowDown } from '../park/pace.ts';
import { heldTooLong } from './round-files.ts';
import { fallsBehind, isHopeless } from './rounds.ts';
import { drop, FALLS_BEHIND, takeRounds } from './snapshot.ts';

type Slowed = Extract<Action, { kind: 'snapshot-slowed' }>;

/** Of the processors that it uses; with less, those who are served by it would take it for gone. */
const PART = 0.125;

/** Bounds what the rounds of a slow tree write, in times of its memory: if the second is not much less than the first, all are dropped. */
const BUDGET = 2;

/**
 * The last rounds before anybody is parked. They catch up with a workload only if its memory is read faster than it is written. One
 * with which they have not is slowed down until it is parked, and imaged once more ("stun rogue processes", Clark et al., NSDI
 * 2005; QEMU's auto-converge): for a while it is slow, instead of away for as long as it takes to image all of it.
 */
export async function snapshotSlowed(action: Slowed): Promise<Result<Note>> {
  const { unit, controlGroup, folder, order, limit } = action;
  const held = await heldTooLong(folder);
  if (held !== undefined) return ok({ event: 'doubt', unit, why: doubtWords(held) });
  const taken = await takeRounds({ ...action, last: true });
  if (typeof taken === 'string') return drop(action, taken);
  if (!fallsBehind(taken.left, order.memory)) return ok({ event: 'snapshot', unit, rounds: taken.rounds });

  const slowedAt = new Date().toISOString();
  // For another tree of the same workload it was slowed down already.
  const slowedTo = limitOf(controlGroup) === limit ? await slowDown(controlGroup, PART) : limitOf(controlGroup);
  const hopeless = isHopeless(taken.left, order.memory);
  if (slowedTo === undefined) return hopeless ? drop(action, FALLS_BEHIND) : ok({ event: 'snapshot', unit, rounds: taken.rounds });
  // Memory in one piece is read, and restored, as fast as a part of it that is here and there.
  if (hopeless) await fs.rm(folder, { recursive: true, force: true });
  const again = await takeRounds({ ...action, last: true, budget: BUDGET * order.memory });
  if (typeof again !== 'string' && !isHopeless(again.left, order.memory)) return ok({ event: 'snapshot', unit, rounds: [...taken.rounds, ...again.rounds], slowedAt, slowedTo });
  setLimit(controlGroup, limit);
  return drop(action, typeof again === 'string' ? again : FALLS_BEHIND);
}
