import { readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { ok, type Result } from '../failure/result.ts';
import type { WholeSnapshot } from '../model/step.ts';
import { writeAffinity } from '../park/affinity.ts';
import { writeSocketOptions } from '../park/socket-options.ts';
import { sumWorkload } from '../park/sums.ts';
import { write } from '../park/write.ts';
import { Imprint } from './imprint.ts';

const fileOf = (workload: string): string => `${workload}/imprint.json`;

/**
 * Completes a workload's part of the hand-over with its image as it is: locks, checksums, the snapshots in the place of the images
 * that need not be made if it is proven current; at last the imprint.
 */
export async function writeImprint({ workload, controlGroup, handover, hostNetwork, idleGroup, trees }: WholeSnapshot, imprint: Imprint): Promise<Result<undefined>> {
  await write(`${workload}/locks`, hostNetwork ? imprint.locks.map((table) => `${table}\n`).join('') : '');
  // If that is changed from here on, the image is not current any more.
  await Promise.all([writeAffinity, writeSocketOptions].map((writes) => writes(workload, controlGroup)));
  const summed = await sumWorkload(handover, workload.slice(handover.length + 1), idleGroup);
  if (!summed.ok) return summed;
  for (const { order, folder } of trees) linkTo(`${relative(dirname(order.images), folder)}/last`, order.images);
  const path = fileOf(workload);
  await write(path, JSON.stringify(imprint));
  const version = versionOf(path);
  if (version !== undefined) known.set(path, { version, imprint });
  return ok(undefined);
}

function linkTo(target: string, path: string): void {
  rmSync(path, { force: true }); // of the snapshot before
  symlinkSync(target, path);
}

/** What was written or read last: hundreds of imprints are asked for while everything stands still. */
const known = new Map<string, { readonly version: string; readonly imprint: Imprint | undefined }>();

function versionOf(path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? undefined : [stat.ino, stat.mtimeNs, stat.size].join(' ');
}

/** The imprint of a workload's image; undefined when there is none, or not all of one. */
export function readImprint(workload: string): Imprint | undefined {
  const path = fileOf(workload);
  const version = versionOf(path);
  if (version === undefined) return undefined;
  const last = known.get(path);
  if (last?.version === version) return last.imprint;
  const imprint = parseImprint(readFileSync(path, 'utf8'));
  known.set(path, { version, imprint });
  return imprint;
}

function parseImprint(text: string): Imprint | undefined {
  try {
    return Imprint.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** Its image is not to be used any more. */
export const removeImprint = (workload: string): void => { rmSync(fileOf(workload), { force: true }); };
