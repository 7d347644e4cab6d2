import { failed, ok, type Result } from '../failure/result.ts';
import { LEGACY_PMEM, SYSTEM_RAM, type AddressRange } from '../tools/iomem.ts';
import type { Region } from '../tools/memmap.ts';

/** Memory is mapped in sections of this size (admin-guide/mm/memory-hotplug): a region that is not so aligned is cut by the driver. */
export const ALIGNMENT = 128 * 2 ** 20;

/** Below are the kernel, its initramfs as most bootloaders place it, and all memory for devices that reach no further. */
const LOWEST = 4 * 2 ** 30;

/**
 * kexec_file_load(2) puts the new kernel and its initramfs at the very end of memory
 * (locate_mem_hole_top_down() in kernel/kexec_file.c). At the first jump the region is memory like any other: so much
 * above it is left to them.
 */
const FOR_KEXEC = 256 * 2 ** 20;

/** The rest is for the machine's work. */
const SHARE_OF_MEMORY = 0.5;

export const LEAST = 256 * 2 ** 20;

const down = (bytes: number): number => Math.floor(bytes / ALIGNMENT) * ALIGNMENT;
const up = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** The memory that the machine has, also that which is Segue's own region today, with what touches each other as one. */
function memoryOf(ranges: readonly AddressRange[], own: readonly Region[]): AddressRange[] {
  const isOwn = ({ start, end }: AddressRange): boolean => own.some((region) => region.start === start && region.size === end - start);
  const memory: AddressRange[] = [];
  for (const range of ranges.filter((each) => each.what === SYSTEM_RAM || (each.what === LEGACY_PMEM && isOwn(each))).toSorted((a, b) => a.start - b.start)) {
    const last = memory.at(-1);
    if (last?.end === range.start) memory[memory.length - 1] = { ...last, end: range.end };
    else memory.push({ ...range, what: SYSTEM_RAM });
  }
  return memory;
}

/**
 * A region of that size: inside one range of memory, near the end of the one that has the most room. The first of `own`,
 * which is what is set up today, stays if it has that size.
 */
export function chooseRegion(size: number, ranges: readonly AddressRange[], own: readonly Region[]): Result<Region> {
  const memory = memoryOf(ranges, own);
  const today = own[0];
  if (today?.size === up(size) && memory.some(({ start, end }) => start <= today.start && today.start + today.size <= end)) return ok(today);
  const total = memory.reduce((sum, { start, end }) => sum + end - start, 0);
  const rooms = memory.map(({ start, end }) => ({ start: up(Math.max(start, LOWEST)), end: down(end - FOR_KEXEC) }));
  const widest = rooms.reduce<{ start: number; end: number } | undefined>((best, room) => (room.end - room.start > (best === undefined ? 0 : best.end - best.start) ? room : best), undefined);
  const most = widest === undefined ? 0 : Math.min(widest.end - widest.start, down(total * SHARE_OF_MEMORY));
  const wanted = up(size);
  if (widest === undefined || wanted > most) return failed({ reason: 'ram-store-too-large', askedBytes: wanted, mostBytes: most < LEAST ? 0 : most });
  return ok({ start: widest.end - wanted, size: wanted });
}
