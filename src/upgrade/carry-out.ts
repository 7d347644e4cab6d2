import { promises as fs } from 'node:fs';
import type { Failure } from '../failure/failure.ts';
import { failed, ok, type Result } from '../failure/result.ts';
import { jump } from '../jump/jump.ts';
import { drain } from '../park/drain.ts';
import { dump, resume } from '../park/dump.ts';
import { seal, writeDurably } from '../park/seal.ts';
import type { Action, Step } from '../model/step.ts';
import { runOk } from '../tools/command.ts';
import { deleteTable, lockTables } from '../tools/nft.ts';
import type { Journal } from '../store/journal.ts';

/** Carries out one action. */
async function act(action: Action): Promise<Result<unknown>> {
  switch (action.kind) {
    case 'run':
      return runOk(action.argv, action.input === undefined ? {} : { input: action.input });
    case 'write':
      await writeDurably(action.path, action.content);
      return ok(undefined);
    case 'make-folder':
      await fs.mkdir(action.path, { recursive: true, mode: 0o700 });
      return ok(undefined);
    case 'link':
      await fs.symlink(action.target, action.path);
      return ok(undefined);
    case 'remove':
      await fs.rm(action.path, { recursive: true, force: true });
      return ok(undefined);
    case 'drain':
      return drain(action.ports, action.seconds);
    case 'dump':
      return dump(action);
    case 'resume':
      await resume(action);
      return ok(undefined);
    case 'unlock':
      for (const table of await lockTables()) await deleteTable(table);
      return ok(undefined);
    case 'seal':
      return seal(action.handover, action.workloads);
    case 'jump':
      return jump();
  }
}

/** An exception here is a system call that said no (a full disk, a folder that cannot be made): a failure like others. */
async function attempt(step: Step, action: Action): Promise<Result<unknown>> {
  try {
    return await act(action);
  } catch (error) {
    return failed({ reason: 'step-failed', step: step.unit === undefined ? step.title : `${step.unit}: ${step.title}`, error: error instanceof Error ? error.message : String(error) });
  }
}

export interface Progress {
  stepBegins(step: Step): void;
  givingUp(failure: Failure): void;
}

export interface CarryOutOptions {
  readonly journal: Journal;
  readonly progress: Progress;
  /** Says between two steps that the upgrade is to be given up. */
  readonly interrupted: () => NodeJS.Signals | undefined;
}

/**
 * Carries out the steps of a plan in order, each in the journal before it takes effect. When one fails, or the user
 * interrupts, the undo of every step that was begun is carried out, last one first: the machine is as before.
 * After a successful jump this does not return.
 */
export async function carryOut(steps: readonly Step[], { journal, progress, interrupted }: CarryOutOptions): Promise<Result<undefined>> {
  const begun: Step[] = [];
  for (const step of steps) {
    const signal = interrupted();
    let result: Result<unknown>;
    if (signal !== undefined) result = failed({ reason: 'interrupted', signal });
    else {
      progress.stepBegins(step);
      journal.append({ event: step.action.kind === 'jump' ? 'jumping' : 'step', phase: step.phase, step: step.title, ...(step.unit === undefined ? {} : { unit: step.unit }) });
      begun.push(step);
      result = await attempt(step, step.action);
    }
    if (!result.ok) {
      progress.givingUp(result.failure);
      journal.append({ event: 'giving-up', why: result.failure.reason, step: step.title, ...(step.unit === undefined ? {} : { unit: step.unit }) });
      const left = await undo(begun);
      journal.append({ event: left.length === 0 ? 'given-up' : 'given-up-in-part', why: left.join('; ') || result.failure.reason });
      return result;
    }
  }
  return ok(undefined);
}

/** Undoes every step that was begun, also the one that failed; what could not be undone is returned. */
async function undo(begun: readonly Step[]): Promise<string[]> {
  const left: string[] = [];
  for (const step of begun.toReversed()) {
    if (step.undo === undefined) continue;
    const result = await attempt(step, step.undo);
    if (!result.ok) left.push(`${step.unit ?? ''} ${step.title}: ${result.failure.reason}`.trim());
  }
  return left;
}
