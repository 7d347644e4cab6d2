import { promises as fs } from 'node:fs';
import { ok, type Result } from '../failure/result.ts';
import { doubtWords } from '../model/doubt.ts';
import type { Action, Note } from '../model/step.ts';
import { limitOf, setLimit, slowDown } from '../park/pace.ts';
import { cgroupProcesses } from '../survey/task.ts';
import { splitHugePages } from './huge-pages.ts';
import { heldTooLong } from './round-files.ts';
import { fallsBehind, isHopeless } from './rounds.ts';
import { drop, FALLS_BEHIND, takeRounds, type Taken } from './snapshot.ts';

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
  const taken = await atFullSpeed(action);
  if (typeof taken === 'string') return drop(action, taken);
  if (!fallsBehind(taken.left, order.memory)) return ok({ event: 'snapshot', unit, rounds: taken.rounds });

  const slowedAt = new Date().toISOString();
  // For another tree of the same workload it was slowed down already.
  const slowedTo = limitOf(controlGroup) === limit ? await slowDown(controlGroup, PART) : limitOf(controlGroup);
  if (slowedTo === undefined) return isHopeless(taken.left, order.memory) ? drop(action, FALLS_BEHIND) : ok({ event: 'snapshot', unit, rounds: taken.rounds });
  const slowly = await onceMore(action, taken);
  if (typeof slowly !== 'string' && !isHopeless(slowly.left, order.memory)) return ok({ event: 'snapshot', unit, rounds: slowly.rounds, slowedAt, slowedTo });
  setLimit(controlGroup, limit);
  return drop(action, typeof slowly === 'string' ? slowly : FALLS_BEHIND);
}

/** Rounds while nobody is slow; further ones where most of what counted as written was so for being in huge pages. */
async function atFullSpeed(action: Slowed): Promise<Taken | string> {
  const taken = await takeRounds({ ...action, last: true });
  if (typeof taken === 'string' || !fallsBehind(taken.left, action.order.memory)) return taken;
  const split = await splitHugePages((await cgroupProcesses(action.controlGroup)).pids);
  return 2 * split > taken.left ? await onceMore(action, taken) : taken;
}

/** Further rounds; anew if these left so much, as memory in one piece is read, and restored, as fast as a part of it that is here and there. */
async function onceMore(action: Slowed, { rounds, left }: Taken): Promise<Taken | string> {
  const { folder, order } = action;
  if (isHopeless(left, order.memory)) await fs.rm(folder, { recursive: true, force: true });
  const further = await takeRounds({ ...action, last: true, budget: BUDGET * order.memory });
  return typeof further === 'string' ? further : { rounds: [...rounds, ...further.rounds], left: further.left };
}
