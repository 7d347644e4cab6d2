import { doubt, doubtWords, type Doubt } from '../model/doubt.ts';
import { ok, type Result } from '../failure/result.ts';
import type { Note, ProvableWorkload } from '../model/step.ts';
import { changedSince, lookAt } from '../snapshot/changed.ts';
import { readImprint } from '../snapshot/imprint-file.ts';
import type { Imprint } from '../snapshot/imprint.ts';
import { surroundings } from '../snapshot/surroundings.ts';
import { freeze, thaw } from './freezer.ts';

/** The units that stand still as their images of before have them, and the imprints by which that is known. */
const proven = new Map<string, Imprint>();

/** Undefined for a unit that is imaged while everything stands still. */
export const provenImprint = (unit: string): Imprint | undefined => proven.get(unit);
export const markProven = (unit: string, imprint: Imprint): void => { proven.set(unit, imprint); };

/**
 * Their sockets are locked. Stops the workloads of which a whole image was taken while they slept, and asks whether
 * anything has happened to them since. If nothing has, that image counts, and they stay stopped; the others go on until
 * they are imaged.
 */
export async function prove(workloads: readonly ProvableWorkload[]): Promise<Result<Note | undefined>> {
  const candidates = workloads.flatMap((workload) => {
    const imprint = readImprint(workload.workload);
    return imprint === undefined ? [] : [{ workload, imprint }];
  });
  if (candidates.length === 0) return ok(undefined);
  const stoppedAt = new Date().toISOString();
  const restless = new Set(await freeze(candidates.map(({ workload }) => workload.controlGroup)));
  const asked = surroundings(new Set(candidates.flatMap(({ imprint }) => imprint.sockets)));
  const marks = new Map<string, string | undefined>();
  const looked = candidates.map((candidate) => ({ ...candidate, seen: lookAt(candidate.imprint, candidate.workload.controlGroup, marks) }));
  const now = await asked;
  if (!now.ok) return now;
  const examine = ({ workload, imprint, seen }: (typeof looked)[number]): Doubt | undefined => {
    if (restless.has(workload.controlGroup)) return doubt('restless');
    return now.value === undefined ? doubt('kernel') : changedSince(imprint, seen, now.value);
  };
  const current: string[] = [];
  const changed: { unit: string; why: string }[] = [];
  const others: string[] = [];
  for (const candidate of looked) {
    const { workload, imprint } = candidate;
    const why = examine(candidate);
    if (why === undefined) {
      markProven(workload.unit, imprint);
      current.push(workload.unit);
    } else {
      others.push(workload.controlGroup);
      changed.push({ unit: workload.unit, why: doubtWords(why) });
    }
  }
  await thaw(others);
  return ok({ event: 'proven', stoppedAt, current, ...(changed.length > 0 ? { changed } : {}) });
}
