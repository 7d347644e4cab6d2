import { words } from '../failure/words.ts';
import type { Action, Step } from '../model/step.ts';
import { thaw } from '../park/freezer.ts';
import { resume } from '../park/resume.ts';
import type { JournalEvent } from '../store/journal.ts';
import { cgroupProcesses, tracerOf } from '../survey/task.ts';
import { deleteLockTables } from '../tools/nft.ts';
import { attempt, carryOutAction } from './act.ts';

/** A step that was begun and can be undone. */
export type Undoable = Pick<Step, 'title' | 'unit'> & { readonly undo: Action };

type Resumption = Undoable & { readonly undo: Extract<Action, { kind: 'resume' }> };
const isResumption = (step: Undoable): step is Resumption => step.undo.kind === 'resume';

/**
 * Undoes every step that was begun, last one first, also the one that failed: the machine is as before. Workloads that
 * were parked one after the other go on together: each would otherwise wait for those before it. Returns what the journal
 * is to say: also what could not be undone.
 */
export async function undo(begun: readonly Undoable[], why: string): Promise<Pick<JournalEvent, 'event' | 'why'>> {
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
  return left.length === 0 ? { event: 'given-up', why } : { event: 'given-up-in-part', why: left.join('; ') };
}

/** Lets go on beforehand whoever none of these processes traces, as far as that can be; is followed by `undo` when those have ended. */
export async function resumeOthers(begun: readonly Undoable[], tracers: readonly number[]): Promise<void> {
  const resumptions = begun.filter(isResumption).map(({ undo: action }) => action);
  await attempt({ title: 'let the others go on' }, async () => {
    await thaw(begun.flatMap(({ undo: action }) => (action.kind === 'thaw' ? action.controlGroups : [])));
    const held = await Promise.all(resumptions.map(async ({ controlGroup }) => (await cgroupProcesses(controlGroup)).pids.some((pid) => tracers.includes(tracerOf(pid)))));
    await resume(resumptions.filter((_, index) => held[index] === false));
    return deleteLockTables();
  });
}
