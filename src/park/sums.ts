import { existsSync, promises as fs, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { ok, type Result } from '../failure/result.ts';
import { inGroup } from '../tools/cgroup.ts';
import { runOk } from '../tools/command.ts';
import { checksums, fileOf, type Checksum } from '../tools/xxhsum.ts';
import { write } from './write.ts';

/** Checksums of all but the workloads; and of the workloads' own lists of checksums. */
const OF_OTHERS = 'manifest';
const OF_LISTS = 'manifests';
const WORKLOADS = 'workloads';

const listOf = (unit: string): string => `${WORKLOADS}/${unit}/manifest`;

/** The regular files below a folder, named from it on. */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await fs.readdir(folder, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => `${entry.parentPath}/${entry.name}`.slice(folder.length + 1)).sort();
}

/** Files of a workload's folder that are in its list by their own name. */
const isListed = (file: string): boolean => !/\/(manifest|imprint\.json|.*\.blocks)$/.test(file);

async function others(handover: string): Promise<string[]> {
  const entries = (await fs.readdir(handover, { withFileTypes: true })).filter(({ name }) => ![OF_OTHERS, WORKLOADS].includes(name));
  return (await Promise.all(entries.map(async (entry) => (entry.isDirectory() ? (await filesBelow(`${handover}/${entry.name}`)).map((file) => `${entry.name}/${file}`) : [entry.name])))).flat();
}

/** A smaller file of pages is compared as a whole, bytes. */
const LARGE = 16 * 2 ** 20;
const isLarge = (path: string): boolean => /\/pages-\d+\.img$/.test(path) && statSync(path).size >= LARGE;

/**
 * Checksums of files in the hand-over. Memory that may be given back to its task bit by bit is summed block by block (boot/memory):
 * beside such a file of pages there is then one with their checksums, which is summed in its place.
 */
export async function sumFiles(handover: string, files: readonly string[], group?: string): Promise<Result<Checksum[]>> {
  const folders = new Set(files.map((file) => `${handover}/${file}`).filter(isLarge).map(dirname));
  // So it is with most, while everybody waits.
  if (folders.size === 0) return checksums(handover, files, group);
  const summed = await runOk(inGroup(['/usr/lib/segue/memory', 'sum', LARGE.toString(), ...folders], group));
  if (!summed.ok) return summed;
  return checksums(handover, files.map((file) => (existsSync(`${handover}/${file}.blocks`) ? `${file}.blocks` : file)), group);
}

/** Writes a workload's own list: most of what its snapshots are made of was summed when they were taken, the rest is summed now. */
export async function sumWorkload(handover: string, folder: string, group?: string): Promise<Result<undefined>> {
  const files = (await filesBelow(`${handover}/${folder}`)).map((file) => `${folder}/${file}`);
  const lists = await Promise.all(files.filter((file) => file.endsWith('/snapshots/manifest')).map((file) => read(handover, file)));
  const earlier = new Map(lists.flatMap((list) => [...list]));
  const summed = await sumFiles(handover, files.filter((file) => isListed(file) && !earlier.has(file) && !earlier.has(`${file}.blocks`)), group);
  if (!summed.ok) return summed;
  await write(`${handover}/${folder}/manifest`, [...summed.value.map(({ line }) => line), ...earlier.values()].map((line) => `${line}\n`).join(''));
  return ok(undefined);
}

/** Writes the checksums of these files, of which those in `known` need not be computed. */
async function writeSums(handover: string, list: string, files: readonly string[], known: ReadonlyMap<string, string>): Promise<Result<undefined>> {
  const summed = await checksums(handover, files.filter((file) => !known.has(file)));
  if (!summed.ok) return summed;
  const lines = new Map([...known, ...summed.value.map(({ file, line }) => [file, line] as const)]);
  await write(`${handover}/${list}`, files.map((file) => `${lines.get(file) ?? ''}\n`).join(''));
  return ok(undefined);
}

async function read(handover: string, list: string): Promise<Map<string, string>> {
  const text = await fs.readFile(`${handover}/${list}`, 'utf8').catch(() => '');
  return new Map(text.split('\n').filter(Boolean).map((line) => [fileOf(line), line]));
}

/** While everything still runs: the checksums of what is in the hand-over already, and will stay as it is. */
export async function sumBeforehand(handover: string): Promise<Result<undefined>> {
  return writeSums(handover, OF_OTHERS, await others(handover), new Map());
}

/** Completes them when all is there. */
export async function sumTheRest(handover: string, units: readonly string[]): Promise<Result<undefined>> {
  const known = await read(handover, OF_OTHERS);
  const summed = await writeSums(handover, OF_LISTS, units.map(listOf), new Map());
  return summed.ok ? writeSums(handover, OF_OTHERS, await others(handover), known) : summed;
}
