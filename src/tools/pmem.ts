import { randomBytes } from 'node:crypto';
import { promises as fs, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ok, type Result } from '../failure/result.ts';
import { run, runOk } from './command.ts';
import type { Region } from './memmap.ts';

/** The hand-over in memory that outlives a kernel: an ext4 on the region's device. */
export interface RamPlace {
  /** Of the upgrade, and the label of the filesystem: by it Segue knows what it may overwrite, and whose it is. */
  readonly id: string;
  readonly region: Region;
  /** Where it is mounted. */
  readonly folder: string;
  /** On the disk: that it is there, for boot/store and for whoever wipes it. */
  readonly note: string;
  /** Whether images may be used on the way back. */
  readonly wayBack: 'restore' | 'afresh';
}

/** The kernel's driver for such regions, and the one for their devices. boot/store says the same. */
export const DRIVERS: readonly string[] = ['nd_e820', 'nd_pmem'];

/** Devices of a bus appear a moment after its driver (nd_async_device_register() in drivers/nvdimm/bus.c). */
const APPEARS_MILLISECONDS = 2000;
const BLOCK = 4096;

/** What the filesystem leaves of a region for files, at least. */
export const capacityOf = ({ size }: Region): number => Math.floor(size * 0.97) - 32 * 2 ** 20;

/** DAX wants blocks as large as pages. What is lost with the machine's power needs no large journal. */
export const makeCommand = (device: string, { id }: RamPlace): string[] => ['mkfs.ext4', '-q', '-L', id, '-b', BLOCK.toString(), '-m', '0', '-i', '65536', '-J', 'size=16', '-O', '^resize_inode', '-E', 'nodiscard', device];
/** With DAX nothing is copied to a page cache on the way. */
export const mountCommand = (device: string, { folder }: RamPlace): string[] => ['mount', '-t', 'ext4', '-o', 'dax=always,nosuid,nodev,noatime', device, folder];
/** The device knows no discard: zeros are written. Whether something is on it was looked at before. */
export const zeroCommand = (device: string): string[] => ['blkdiscard', '--force', '--zeroout', device];

/** As sysfs spells it, and so as boot/store compares it. */
export const noteOf = ({ region: { start, size }, wayBack }: RamPlace): string => `0x${start.toString(16)} ${size.toString()} ${wayBack}\n`;

export function readNote(text: string, { id, folder, note }: Pick<RamPlace, 'id' | 'folder' | 'note'>): RamPlace | undefined {
  const [, start, size, wayBack] = /^0x([0-9a-f]{1,13}) (\d{1,15}) (restore|afresh)\n$/.exec(text) ?? [];
  if (start === undefined || size === undefined) return undefined;
  return { id, folder, note, region: { start: Number.parseInt(start, 16), size: Number(size) }, wayBack: wayBack === 'afresh' ? 'afresh' : 'restore' };
}

const textOf = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
};

/** The name of the device that is exactly this region, which the command line has made, and no NVDIMM (Documentation/ABI/testing/sysfs-bus-nvdimm). */
export function deviceOf({ start, size }: Region, sys = '/sys'): string | undefined {
  let names: string[] = [];
  try {
    names = readdirSync(`${sys}/block`).filter((name) => /^pmem\d+$/.test(name)).sort();
  } catch {
    // There is no block device at all.
  }
  return names.find((name) => {
    const device = `${sys}/block/${name}/device`;
    if (textOf(`${device}/resource`) !== `0x${start.toString(16)}` || textOf(`${device}/size`) !== size.toString()) return false;
    const bus = /ndbus\d+/.exec(realpathSync(device))?.[0] ?? '';
    return textOf(`${sys}/bus/nd/devices/${bus}/provider`) === 'e820';
  });
}

/** Loads what the kernel needs for it, and waits until it is there. */
export async function findDevice(region: Region): Promise<string | undefined> {
  await run(['modprobe', '--quiet', '--all', ...DRIVERS]);
  const end = performance.now() + APPEARS_MILLISECONDS;
  for (;;) {
    const name = deviceOf(region);
    if (name !== undefined) return `/dev/${name}`;
    if (performance.now() > end) return undefined;
    await sleep(50);
  }
}

export type Content = { readonly kind: 'nothing' } | { readonly kind: 'upgrade'; readonly id: string } | { readonly kind: 'foreign'; readonly what: string };

export async function contentOf(device: string): Promise<Content> {
  const { stdout, exitCode } = await run(['blkid', '--probe', '--output', 'export', device]);
  // blkid(8): 2 if nothing was found, 8 if more than one thing.
  return exitCode === 2 ? { kind: 'nothing' } : exitCode === 0 ? parseContent(stdout) : { kind: 'foreign', what: 'several things at once' };
}

export function parseContent(text: string): Content {
  const value = (name: string): string | undefined => new RegExp(`^${name}=(.+)$`, 'm').exec(text)?.[1];
  const type = value('TYPE') ?? value('PTTYPE');
  if (type === undefined) return { kind: 'nothing' };
  const label = value('LABEL') ?? '';
  return type === 'ext4' && /^\d{8}-\d{6}$/.test(label) ? { kind: 'upgrade', id: label } : { kind: 'foreign', what: type };
}

/** Somebody has mounted it, or has built a device on it. */
export async function isInUse(device: string): Promise<boolean> {
  const mounted = (await run(['findmnt', '--noheadings', '--source', device])).exitCode === 0;
  return mounted || (await fs.readdir(`/sys/block/${basename(device)}/holders`).catch(() => [])).length > 0;
}

/** Past the page cache, which would keep anything; in base64, as an argument or an output is text. */
const readBlock = async (device: string, at: number): Promise<string | undefined> => {
  const { stdout, exitCode } = await run(['sh', '-c', 'dd if="$0" skip="$1" iflag=direct bs=4096 count=1 status=none | base64 --wrap=0', device, at.toString()]);
  return exitCode === 0 && stdout !== '' ? stdout : undefined;
};
const writeBlock = async (device: string, at: number, block: string): Promise<boolean> =>
  (await run(['sh', '-c', 'base64 --decode | dd of="$0" seek="$1" oflag=direct iflag=fullblock conv=notrunc bs=4096 count=1 status=none', device, at.toString()], { input: block })).exitCode === 0;

/** Whether it keeps what is written to it, at its beginning, its end, and in between; what was there is put back. */
export async function keepsData(device: string, { size }: Region): Promise<boolean> {
  for (const at of [0, Math.floor(size / BLOCK / 2), size / BLOCK - 1]) {
    const before = await readBlock(device, at);
    if (before === undefined) return false;
    for (const block of [randomBytes(BLOCK).toString('base64'), before]) {
      if (!(await writeBlock(device, at, block)) || (await readBlock(device, at)) !== block) return false;
    }
  }
  return true;
}

/** Makes the filesystem and mounts it. */
export async function makeAndMount(device: string, place: RamPlace): Promise<Result<undefined>> {
  const { folder } = place;
  await fs.mkdir(folder, { recursive: true, mode: 0o700 });
  for (const command of [makeCommand(device, place), mountCommand(device, place)]) {
    const done = await runOk(command);
    if (!done.ok) return done;
  }
  await fs.chmod(folder, 0o700);
  await fs.rm(`${folder}/lost+found`, { recursive: true, force: true });
  return ok(undefined);
}

/** Mounts what an upgrade has left in it, in this kernel or a later one (boot/store). */
export const reopen = ({ note }: RamPlace): Promise<Result<string>> => runOk(['/usr/lib/segue/store', 'open', basename(dirname(note)), dirname(note)]);

/** Overwrites all of it. */
export async function zero(device: string): Promise<Result<undefined>> {
  const done = await runOk(zeroCommand(device));
  return done.ok ? ok(undefined) : done;
}
