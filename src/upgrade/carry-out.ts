import { availableParallelism } from 'node:os';
import pMap from 'p-map';
import type { Failure } from '../failure/failure.ts';
import { failed, ok, type Result } from '../failure/result.ts';
import type { Action, Step } from '../model/step.ts';
import { cgroupProcesses, isStopped } from '../survey/task.ts';
import { isDone } from './done.ts';
import type { Journal } from '../store/journal.ts';
import { attempt, carryOutAction } from './act.ts';
import type { Guard } from './guard.ts';

export interface Progress {
  stepBegins(step: Step): void;
  givingUp(failure: Failure): void;
}

export interface CarryOutOptions {
  readonly journal: Journal;
  readonly progress: Progress;
  /** Learns of each step before it begins, and undoes them all: also when this process is killed. */
  readonly guard: Guard;
  /** Says between two steps why the upgrade is to be given up. */
  readonly interrupted: () => Failure | undefined;
}

interface Failed {
  readonly step: Step;
  readonly failure: Failure;
}

/** Who stands still before the image does so after it was given up: that may have changed since the plan was made. */
async function undoOf({ action, undo }: Step): Promise<Action | undefined> {
  if (action.kind !== 'dump' || undo?.kind !== 'resume') return undo;
  return { ...undo, keepStopped: (await cgroupProcesses(undo.controlGroup)).pids.filter(isStopped) };
}

/** Steps that follow each other, in their lanes, which do not wait for each other; a step without one has all for itself. */
export function lanes(steps: readonly Step[]): Step[][][] {
  const batches: Step[][][] = [];
  for (const [index, step] of steps.entries()) {
    const batch = batches.at(-1);
    const own = batch?.find(([first]) => first?.lane?.name === step.lane?.name);
    if (batch === undefined || step.lane === undefined || steps[index - 1]?.lane?.of !== step.lane.of) batches.push([[step]]);
    else if (own === undefined) batch.push([step]);
    else own.push(step);
  }
  return batches;
}

/**
 * Carries out the steps of a plan in order, each in the journal and known to the guard before it takes effect. When one
 * fails, or the user interrupts, the guard undoes every step that was begun. After a successful jump this does not
 * return.
 */
export async function carryOut(steps: readonly Step[], { journal, progress, guard, interrupted }: CarryOutOptions): Promise<Result<undefined>> {
  let first: Failed | undefined;

  const carryOutStep = async (step: Step): Promise<Result<unknown>> => {
    const interruption = interrupted();
    if (interruption !== undefined) return failed(interruption);
    progress.stepBegins(step);
    const { phase, title, unit } = step;
    return await attempt(step, async () => {
      const undo = await undoOf(step);
      journal.append({ event: step.action.kind === 'jump' ? 'jumping' : 'step', phase, step: title, ...(unit === undefined ? {} : { unit }) });
      if (undo !== undefined) await guard.begins({ title, undo, ...(unit === undefined ? {} : { unit }) });
      const result = await carryOutAction(step, step.action);
      if (result.ok && result.value !== undefined) journal.append(result.value);
      return result;
    });
  };
  /** Until a step of any lane has failed. */
  const carryOutLane = async (lane: readonly Step[]): Promise<void> => {
    for (const step of lane.filter((each) => !isDone(each))) {
      if (first !== undefined) return;
      const result = await carryOutStep(step);
      if (!result.ok) first ??= { step, failure: result.failure };
    }
  };

  for (const batch of lanes(steps)) {
    await pMap(batch, carryOutLane, { concurrency: availableParallelism() });
    if (first === undefined) continue;
    const { step, failure } = first;
    progress.givingUp(failure);
    // A journal that cannot be written may be the very reason.
    await attempt(step, () => {
      journal.append({ event: 'giving-up', why: failure.reason, step: step.title, ...(step.unit === undefined ? {} : { unit: step.unit }) });
      return Promise.resolve(ok(undefined));
    });
    await guard.giveUp(failure.reason);
    return failed(failure);
  }
  return ok(undefined);
}
