import { promises as fs } from 'node:fs';
import { RAM_STORE } from '../model/handover.ts';
import { LEGACY_PMEM, readIomem, type AddressRange } from '../tools/iomem.ts';
import { readRegion, regionsOn, spellRegion, type Region } from '../tools/memmap.ts';
import { capacityOf, contentOf, DRIVERS, findDevice, isInUse, keepsData } from '../tools/pmem.ts';
import { modulesFor } from '../tools/modprobe.ts';

/** What `segue setup --ram-store` has set up, and what has become of it in the kernel that runs. */
export type RamStore =
  | { readonly kind: 'none' }
  /** The running kernel was not told of it: the next one will be. */
  | { readonly kind: 'to-come'; readonly region: Region }
  /** `region` is undefined when what says where it is cannot be read. */
  | { readonly kind: 'bad'; readonly region: Region | undefined; readonly why: string }
  | { readonly kind: 'ready'; readonly region: Region };

/** What to have in /etc/segue/ram-store. */
export const configurationOf = (region: Region): string => `# Written by \`segue setup --ram-store\`: memory that kernels leave alone, SIZE!START.\n${spellRegion(region)}\n`;

/** The one line that is no comment. */
export function readConfiguration(text: string): Region | undefined {
  const lines = text.split('\n').map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'));
  return lines.length === 1 ? readRegion(lines[0] ?? '') : undefined;
}

/** The region that is configured; undefined when there is none, or nobody can say where it is. */
export async function configuredRegion(path: string = RAM_STORE): Promise<Region | undefined> {
  const text = await fs.readFile(path, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : readConfiguration(text);
}

/** What can be told without touching the region: whether the running kernel leaves it alone, in one piece. */
export function judge(region: Region, commandLine: string, ranges: readonly AddressRange[]): RamStore {
  const told = [...regionsOn(commandLine.trim().split(/\s+/)), ...commandLine.split(/\s+/).flatMap((word) => (word.startsWith('memmap=') ? (readRegion(word.slice('memmap='.length)) ?? []) : []))];
  if (!told.some(({ start, size }) => start === region.start && size === region.size)) return { kind: 'to-come', region };
  const end = region.start + region.size;
  const there = ranges.some((range) => range.what === LEGACY_PMEM && range.start === region.start && range.end === end);
  if (there) return { kind: 'ready', region };
  const instead = ranges.filter((range) => range.start < end && range.end > region.start).map(({ what }) => what);
  return { kind: 'bad', region, why: `the kernel was told of it, but does not have it in one piece: there is ${[...new Set(instead)].join(', ') || 'no memory at all'}` };
}

/** Finds out whether an upgrade can use it. Leaves it as it is. */
export async function readRamStore(): Promise<RamStore> {
  const text = await fs.readFile(RAM_STORE, 'utf8').catch(() => undefined);
  if (text === undefined) return { kind: 'none' };
  const region = readConfiguration(text);
  if (region === undefined) return { kind: 'bad', region, why: `${RAM_STORE} says nothing that can be read` };
  const judged = judge(region, await fs.readFile('/proc/cmdline', 'utf8'), await readIomem());
  if (judged.kind !== 'ready') return judged;
  const bad = (why: string): RamStore => ({ kind: 'bad', region, why });
  const device = await findDevice(region);
  if (device === undefined) return bad('it has no device: the kernel could not map it, or has no driver for it');
  const content = await contentOf(device);
  if (content.kind === 'foreign') return bad(`${content.what} is on it, which is not Segue's`);
  if (await isInUse(device)) return bad(content.kind === 'upgrade' ? `the images of upgrade ${content.id} are in it: \`segue forget\` wipes them` : 'somebody uses it');
  return (await keepsData(device, region)) ? judged : bad('it does not keep what is written to it');
}

/** Why an upgrade to that kernel, with images of that size, cannot use a region that is ready; undefined if it can. */
export async function unfit(region: Region, release: string, neededBytes: number): Promise<string | undefined> {
  const room = capacityOf(region);
  if (room < neededBytes) return `about ${mebibytes(neededBytes)} may be needed, and it has room for ${mebibytes(room)}: \`segue setup --ram-store SIZE\` makes it larger`;
  const { unknown } = await modulesFor(release, DRIVERS);
  return unknown.length > 0 ? `Linux ${release} has no driver for it (${unknown.join(', ')})` : undefined;
}

const mebibytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20).toString()} MiB`;
