import type { Result } from '../failure/result.ts';
import { words } from '../failure/words.ts';
import type { Action, Step } from '../model/step.ts';
import { thaw } from '../park/freezer.ts';
import { fullSpeed } from '../park/pace.ts';
import { resume } from '../park/resume.ts';
import type { JournalEvent } from '../store/journal.ts';
import { cgroupProcesses, tracerOf } from '../survey/task.ts';
import { deleteLockTables } from '../tools/nft.ts';
import { attempt, carryOutAction } from './act.ts';

/** A step that was begun and can be undone. */
export type Undoable = Pick<Step, 'title' | 'unit'> & { readonly undo: Action };

type Resumption = Undoable & { readonly undo: Extract<Action, { kind: 'resume' }> };
const isResumption = (step: Undoable): step is Resumption => step.undo.kind === 'resume';

/** Whoever is only frozen, or slowed down. */
export async function thawAll(begun: readonly Undoable[]): Promise<void> {
  for (const { undo: action } of begun) {
    if (action.kind === 'thaw') await thaw(action.controlGroups);
    if (action.kind === 'full-speed') await fullSpeed(action.controlGroup, action.limit);
  }
}

/** What lets the workloads go on, all together; each would otherwise wait for those before it. Their locks are the last that keeps anybody waiting. */
function lettingGo(begun: readonly Undoable[]): { readonly step: Undoable; readonly work: () => Promise<Result<unknown>> }[] {
  const resumptions = begun.filter(isResumption);
  const unlocking = begun.find(({ undo: action }) => action.kind === 'unlock');
  return [
    ...resumptions.slice(0, 1).map((step) => ({ step, work: () => resume(resumptions.map((each) => each.undo)) })),
    ...(unlocking === undefined ? [] : [{ step: unlocking, work: () => carryOutAction(unlocking, unlocking.undo) }]),
  ];
}

/**
 * Undoes every step that was begun, also the one that failed: the machine is as before. First everybody goes on: whoever else is
 * asked may wait for a disk. The rest follows, last one first. Returns what the journal is to say: also what could not be undone.
 */
export async function undo(begun: readonly Undoable[], why: string): Promise<Pick<JournalEvent, 'event' | 'why'>> {
  const left: string[] = [];
  const take = async (step: Undoable, work: () => Promise<Result<unknown>>): Promise<void> => {
    const result = await attempt(step, work);
    if (result.ok) return;
    const { what, why: because } = words(result.failure);
    left.push(`${step.unit ?? ''} ${step.title}: ${because === undefined ? what : `${what}: ${because}`}`.trim());
  };
  await thawAll(begun);
  for (const { step, work } of lettingGo(begun)) await take(step, work);
  for (const step of begun.toReversed().filter(({ undo: { kind } }) => !['resume', 'thaw', 'full-speed', 'unlock'].includes(kind))) await take(step, () => carryOutAction(step, step.undo));
  return left.length === 0 ? { event: 'given-up', why } : { event: 'given-up-in-part', why: left.join('; ') };
}

/** Lets go on beforehand whoever none of these processes traces, as far as that can be; is followed by `undo` when those have ended. */
export async function resumeOthers(begun: readonly Undoable[], tracers: readonly number[]): Promise<void> {
  const resumptions = begun.filter(isResumption).map(({ undo: action }) => action);
  await attempt({ title: 'let the others go on' }, async () => {
    await thawAll(begun);
    const held = await Promise.all(resumptions.map(async ({ controlGroup }) => (await cgroupProcesses(controlGroup)).pids.some((pid) => tracers.includes(tracerOf(pid)))));
    await resume(resumptions.filter((_, index) => held[index] === false));
    return deleteLockTables();
  });
}
