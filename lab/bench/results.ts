import { writeFile } from 'node:fs/promises';

/** Writes what is known so far: an hour's work is not to be lost with the last measurement. */
export async function writeResults(file: string | undefined, results: object): Promise<void> {
  if (file !== undefined) await writeFile(file, `${JSON.stringify(results, null, 2)}\n`);
}
