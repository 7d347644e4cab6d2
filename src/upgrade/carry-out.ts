import type { Failure } from '../failure/failure.ts';
import { failed, ok, type Result } from '../failure/result.ts';
import type { Step } from '../model/step.ts';
import type { Journal } from '../store/journal.ts';
import { carryOutAction } from './act.ts';
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

/**
 * Carries out the steps of a plan in order, each in the journal and known to the guard before it takes effect. When one
 * fails, or the user interrupts, the guard undoes every step that was begun. After a successful jump this does not
 * return.
 */
export async function carryOut(steps: readonly Step[], { journal, progress, guard, interrupted }: CarryOutOptions): Promise<Result<undefined>> {
  for (const step of steps) {
    const interruption = interrupted();
    let result: Result<unknown>;
    if (interruption !== undefined) result = failed(interruption);
    else {
      progress.stepBegins(step);
      const { phase, title, unit, undo } = step;
      journal.append({ event: step.action.kind === 'jump' ? 'jumping' : 'step', phase, step: title, ...(unit === undefined ? {} : { unit }) });
      if (undo !== undefined) guard.begins({ title, undo, ...(unit === undefined ? {} : { unit }) });
      result = await carryOutAction(step, step.action);
    }
    if (!result.ok) {
      progress.givingUp(result.failure);
      journal.append({ event: 'giving-up', why: result.failure.reason, step: step.title, ...(step.unit === undefined ? {} : { unit: step.unit }) });
      await guard.giveUp(result.failure.reason);
      return result;
    }
  }
  return ok(undefined);
}
