import { promises as fs } from 'node:fs';
import { basename } from 'node:path';
import { ok, type Result } from '../failure/result.ts';
import { checksums } from '../tools/xxhsum.ts';

/** Sums the files of a round of a tree's snapshot, and makes it the `last`, on which the next image builds. */
export async function rememberRound(handover: string, folder: string, images: string): Promise<Result<undefined>> {
  const entries = await fs.readdir(images, { withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ name }) => `${images}/${name}`);
  const summed = await checksums(handover, files.map((file) => file.slice(handover.length + 1)));
  if (!summed.ok) return summed;
  await fs.appendFile(`${folder}/manifest`, summed.value.map(({ line }) => `${line}\n`).join(''), { mode: 0o600 });
  await fs.symlink(basename(images), `${folder}/last`);
  return ok(undefined);
}
