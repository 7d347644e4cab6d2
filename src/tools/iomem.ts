import { promises as fs } from 'node:fs';

/** A range of physical addresses and what is there. */
export interface AddressRange {
  readonly start: number;
  /** The first address after it. */
  readonly end: number;
  readonly what: string;
}

export const SYSTEM_RAM = 'System RAM';
/** What `memmap=SIZE!START` makes of it (e820_type_to_string() in arch/x86/kernel/e820.c). */
export const LEGACY_PMEM = 'Persistent Memory (legacy)';

/** What is at the top of /proc/iomem: without root every address there is 0. */
export const readIomem = async (): Promise<AddressRange[]> => parseIomem(await fs.readFile('/proc/iomem', 'utf8'));

/** The outer ranges; what is indented is inside one of them. */
export function parseIomem(text: string): AddressRange[] {
  return text.split('\n').flatMap((line) => {
    const [, start, last, what] = /^([0-9a-f]{1,13})-([0-9a-f]{1,13}) : (.+)$/.exec(line) ?? [];
    if (start === undefined || last === undefined || what === undefined) return [];
    return [{ start: Number.parseInt(start, 16), end: Number.parseInt(last, 16) + 1, what }];
  });
}
