import { doubt, doubtWords, type Doubt } from '../model/doubt.ts';
import { ok, type Result } from '../failure/result.ts';
import type { Note, ProvableWorkload } from '../model/step.ts';
import { changedSince, lookAt } from '../snapshot/changed.ts';
import { readImprint } from '../snapshot/imprint-file.ts';
import { deedsTo, type Imprint } from '../snapshot/imprint.ts';
import { surroundings } from '../snapshot/surroundings.ts';
import { freeze, thaw } from './freezer.ts';

interface Candidate {
  readonly imprint: Imprint;
  /** What has happened to it by then. */
  readonly seen: Doubt | undefined;
}

/** The units of which a whole image was taken while they slept, as they are a moment before they are stopped. */
const candidates = new Map<string, Candidate>();

export interface Proof {
  readonly imprint: Imprint;
  /** How often something had been done to its threads by then. */
  readonly deeds: number | undefined;
}

/** The units that stand still as their images of before have them, and how that is known. */
const proven = new Map<string, Proof>();

/** Undefined for a unit that is imaged while everything stands still. */
export const proofOf = (unit: string): Proof | undefined => proven.get(unit);
export const markProven = (unit: string, proof: Proof): void => { proven.set(unit, proof); };

/** What of them can be looked at before anybody is stopped. */
export function look(workloads: readonly ProvableWorkload[]): void {
  const marks = new Map<string, string | undefined>();
  for (const { unit, workload, controlGroup } of workloads) {
    const imprint = readImprint(workload);
    if (imprint !== undefined) candidates.set(unit, { imprint, seen: lookAt(imprint, controlGroup, marks) });
  }
}

/**
 * Their sockets are locked. Stops those that were looked at, and asks whether anything has happened to them since their image. If
 * nothing has, that image counts, and they stay stopped; the others go on until they are imaged.
 */
export async function prove(workloads: readonly ProvableWorkload[]): Promise<Result<Note | undefined>> {
  const asleep = workloads.flatMap(({ unit, controlGroup }) => {
    const candidate = candidates.get(unit);
    return candidate === undefined ? [] : [{ unit, controlGroup, ...candidate }];
  });
  if (asleep.length === 0) return ok(undefined);
  const stoppedAt = new Date().toISOString();
  const restless = new Set(await freeze(asleep.filter(({ seen }) => seen === undefined).map(({ controlGroup }) => controlGroup)));
  const now = await surroundings(new Set(asleep.flatMap(({ imprint }) => imprint.sockets)));
  if (!now.ok) return now;
  const examine = ({ controlGroup, imprint, seen }: (typeof asleep)[number]): Doubt | undefined => {
    if (seen !== undefined || restless.has(controlGroup)) return seen ?? doubt('restless');
    return now.value === undefined ? doubt('kernel') : changedSince(imprint, now.value);
  };
  const current: string[] = [];
  const changed: { unit: string; why: string }[] = [];
  const others: string[] = [];
  for (const each of asleep) {
    const { unit, controlGroup, imprint } = each;
    const why = examine(each);
    if (why === undefined) {
      markProven(unit, { imprint, deeds: deedsTo(imprint.threads, now.value?.deeds) });
      current.push(unit);
    } else {
      others.push(controlGroup);
      changed.push({ unit, why: doubtWords(why) });
    }
  }
  await thaw(others);
  return ok({ event: 'proven', stoppedAt, current, ...(changed.length > 0 ? { changed } : {}) });
}
