import { words } from '../failure/words.ts';
import type { Action, Step } from '../model/step.ts';
import { resume } from '../park/resume.ts';
import type { Journal } from '../store/journal.ts';
import { attempt, carryOutAction } from './act.ts';

/** A step that was begun and can be undone. */
export type Undoable = Pick<Step, 'title' | 'unit'> & { readonly undo: Action };

type Resumption = Undoable & { readonly undo: Extract<Action, { kind: 'resume' }> };
const isResumption = (step: Undoable): step is Resumption => step.undo.kind === 'resume';

/**
 * Undoes every step that was begun, last one first, also the one that failed: the machine is as before. Workloads that
 * were parked one after the other go on together: each would otherwise wait for those before it. Says in the journal,
 * and returns, what could not be undone.
 */
export async function undo(begun: readonly Undoable[], journal: Journal, why: string): Promise<string[]> {
  const left: string[] = [];
  const steps = begun.toReversed();
  for (let step = steps.shift(); step !== undefined; step = steps.shift()) {
    const resumptions = isResumption(step) ? [step] : [];
    for (let next = steps[0]; resumptions.length > 0 && next !== undefined && isResumption(next); next = steps[0]) {
      resumptions.push(next);
      steps.shift();
    }
    const result = resumptions.length > 0 ? await attempt(step, () => resume(resumptions.map((each) => each.undo))) : await carryOutAction(step, step.undo);
    if (result.ok) continue;
    const { what, why: because } = words(result.failure);
    left.push(`${step.unit ?? ''} ${step.title}: ${because === undefined ? what : `${what}: ${because}`}`.trim());
  }
  journal.append({ event: left.length === 0 ? 'given-up' : 'given-up-in-part', why: left.join('; ') || why });
  return left;
}
