import type { Action, Step } from '../model/step.ts';
import type { Journal } from '../store/journal.ts';
import { carryOutAction } from './act.ts';

/** A step that was begun and can be undone. */
export type Undoable = Pick<Step, 'title' | 'unit'> & { readonly undo: Action };

/**
 * Undoes every step that was begun, last one first, also the one that failed: the machine is as before. Says in the
 * journal, and returns, what could not be undone.
 */
export async function undo(begun: readonly Undoable[], journal: Journal, why: string): Promise<string[]> {
  const left: string[] = [];
  for (const step of begun.toReversed()) {
    const result = await carryOutAction(step, step.undo);
    if (!result.ok) left.push(`${step.unit ?? ''} ${step.title}: ${result.failure.reason}`.trim());
  }
  journal.append({ event: left.length === 0 ? 'given-up' : 'given-up-in-part', why: left.join('; ') || why });
  return left;
}
