/** A piece of the machine's memory that a kernel leaves alone when it is told to, bytes. */
export interface Region {
  readonly start: number;
  readonly size: number;
}

const UNITS: readonly (readonly [letter: string, bytes: number])[] = [['G', 2 ** 30], ['M', 2 ** 20], ['K', 2 ** 10], ['', 1]];

/** A number of bytes as the kernel reads it (memparse() in lib/cmdline.c). */
export function spellBytes(bytes: number): string {
  const [letter, unit] = UNITS.find(([, each]) => bytes % each === 0)!;
  return `${(bytes / unit).toString()}${letter}`;
}

/** `SIZE!START`, as `memmap=` has it (admin-guide/kernel-parameters). */
export const spellRegion = ({ start, size }: Region): string => `${spellBytes(size)}!${spellBytes(start)}`;

export function readRegion(text: string): Region | undefined {
  const [, size, sizeUnit, start, startUnit] = /^(\d{1,12})([KMG]?)!(\d{1,12})([KMG]?)$/.exec(text.trim()) ?? [];
  if (size === undefined || start === undefined) return undefined;
  const bytes = (count: string, letter: string | undefined): number => Number(count) * (UNITS.find(([each]) => each === letter)?.[1] ?? 1);
  const region = { start: bytes(start, startUnit), size: bytes(size, sizeUnit) };
  return region.size > 0 && Number.isSafeInteger(region.start + region.size) ? region : undefined;
}

/** To the kernel this is no parameter; it says of the region on the same line that it is Segue's. */
const MARK = 'segue.ram=';

/** What a kernel must be told to leave the region alone. */
export const regionWords = (region: Region): string[] => [`memmap=${spellRegion(region)}`, `${MARK}${spellRegion(region)}`];

/** The regions that are Segue's, of a command line. */
export const regionsOn = (words: readonly string[]): Region[] =>
  words.flatMap((word) => (word.startsWith(MARK) ? (readRegion(word.slice(MARK.length)) ?? []) : []));

/** A command line without the words for these regions, and for those that are marked as Segue's on it. */
export function withoutRegions(words: readonly string[], regions: readonly Region[] = []): string[] {
  const spelled = new Set([...regions.map(spellRegion), ...words.flatMap((word) => (word.startsWith(MARK) ? [word.slice(MARK.length)] : []))]);
  return words.filter((word) => !word.startsWith(MARK) && !(word.startsWith('memmap=') && spelled.has(word.slice('memmap='.length))));
}
