import { promises as fs } from 'node:fs';
import { basename } from 'node:path';
import { ok, type Result } from '../failure/result.ts';
import { doubt, type Doubt } from '../model/doubt.ts';
import { dumpStatistics } from '../tools/criu-images.ts';
import { sumFiles } from '../park/sums.ts';
import { LONGEST_HOLD } from './rounds.ts';

/** Every image of a chain is opened at a restore, and holds pages that were written again since. */
const LONGEST_CHAIN = 8;

/** The number of the round on which the next can build; 0 where there is none. */
export const lastRound = async (folder: string): Promise<number> => Number(await fs.readlink(`${folder}/last`).catch(() => '0'));

/** As {@link lastRound}; where there are many, or none that counts, all begins anew. */
export async function lastRoundOrAnew(folder: string): Promise<number> {
  const last = await lastRound(folder);
  if (last > 0 && last < LONGEST_CHAIN) return last;
  await fs.rm(folder, { recursive: true, force: true });
  return 0;
}

/** A doubt if the last round has held the tree for so long that it is left in peace. */
export async function heldTooLong(folder: string): Promise<Doubt | undefined> {
  const statistics = await dumpStatistics(`${folder}/last`).catch(() => undefined);
  return statistics === undefined || statistics.heldMs <= LONGEST_HOLD ? undefined : doubt('held', `${statistics.heldMs.toString()} ms`);
}

/** Makes a round of a tree's snapshot the `last`, on which the next image builds. */
export const makeLast = (folder: string, images: string): Promise<void> => fs.symlink(basename(images), `${folder}/last`);

/** Sums the files of a round of a tree's snapshot; what of it is not summed here is when everything stands still (src/park/sums.ts). */
export async function sumRound(handover: string, folder: string, images: string, idleGroup?: string): Promise<Result<undefined>> {
  const entries = await fs.readdir(images, { withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ name }) => `${images}/${name}`);
  const summed = await sumFiles(handover, files.map((file) => file.slice(handover.length + 1)), idleGroup);
  if (!summed.ok) return summed;
  await fs.appendFile(`${folder}/manifest`, summed.value.map(({ line }) => `${line}\n`).join(''), { mode: 0o600 });
  return ok(undefined);
}
