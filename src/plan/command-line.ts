import { regionWords, withoutRegions, type Region } from '../tools/memmap.ts';

/** Words that the bootloader or an earlier upgrade put there. */
const LEFT_OUT = /^(BOOT_IMAGE=|initrd=|kexec_jump_back_entry=|segue\.|systemd\.unit=segue-restore\.target$|sysctl\.kernel\.(pid_max|ns_last_pid)=)/;

/**
 * A new kernel that panics before it has restored anything starts the bootloader's, instead of standing still for ever.
 * boot/state sets kernel.panic back to what it was.
 */
const PANIC = 'panic=10';
/** To the kernel this is no parameter; it says that the word before is Segue's. */
const PANIC_MARK = 'segue.panic';

export interface CommandLineOptions {
  readonly id: string;
  readonly store: string;
  readonly pidMax: number;
  readonly lastPid: number;
  /** Memory that the new kernel is to leave alone. */
  readonly region?: Region;
}

const wordsOf = (line: string): string[] => line.match(/(?:[^\s"]|"[^"]*")+/g) ?? [];

/**
 * To the kernel a quotation that nobody ends goes on to the end of the line (next_arg() in lib/cmdline.c), and would take
 * in what is added to it.
 */
const wholeWords = (line: string): string[] => ((line.match(/"/g) ?? []).length % 2 === 0 ? wordsOf(line) : wordsOf(`${line.trimEnd()}"`));

/** As far as the line is for the kernel: what follows ` -- ` is for init. */
function split(words: readonly string[]): { kernel: string[]; init: string[] } {
  const end = words.includes('--') ? words.indexOf('--') : words.length;
  return { kernel: words.slice(0, end), init: words.slice(end) };
}

/** What is nobody's but the bootloader's or Segue's is for one boot only. */
function lasting(words: readonly string[]): string[] {
  const panicIsOurs = words.includes(PANIC_MARK);
  return words.filter((word) => !LEFT_OUT.test(word) && !(panicIsOurs && word === PANIC));
}

/**
 * The new kernel's command line: what the running one has, and what the restore needs. `sysctl.` words are set before
 * the first process runs, also in the initramfs (admin-guide/kernel-parameters): the old process ids stay free. systemd
 * restores the workloads first, and boot/boot then starts what it would have started.
 */
export function newCommandLine(current: string, { id, store, pidMax, lastPid, region }: CommandLineOptions): string {
  const { kernel, init } = split(wholeWords(current));
  const kept = lasting(withoutRegions(kernel, region === undefined ? [] : [region]));
  return [
    ...kept,
    ...(kept.some((word) => word.startsWith('panic=')) ? [] : [PANIC, PANIC_MARK]),
    ...(region === undefined ? [] : regionWords(region)),
    `sysctl.kernel.pid_max=${pidMax.toString()}`, `sysctl.kernel.ns_last_pid=${lastPid.toString()}`, `segue.upgrade=${id}`, `segue.store=${store}`, 'systemd.unit=segue-restore.target',
    ...init.filter((word) => !LEFT_OUT.test(word)),
  ].join(' ');
}

/** A command line for every boot: with that region, without the one before, and without what is for one boot only. */
export function lastingCommandLine(current: string, region: Region | undefined, before: Region | undefined): string {
  const { kernel, init } = split(wholeWords(current));
  const kept = lasting(withoutRegions(kernel, [region, before].filter((each) => each !== undefined)));
  return [...kept, ...(region === undefined ? [] : regionWords(region)), ...init].join(' ');
}

/** A workload may fork between the plan and its image: its newest process has an id that nobody knows yet. */
const FORKED_MEANWHILE = 5000;

/**
 * Where the new kernel begins to number its processes: well after the highest id that is carried or was given last, or,
 * when too few are left there, in the widest gap between two.
 */
export function firstFreePid(carried: readonly number[], pidMax: number, reserved: number): number {
  // A session or a process group may have a low id; and what is above pid_max, which was lowered since, is in nobody's way.
  const taken = [reserved, ...carried.filter((pid) => pid > reserved && pid < pidMax), pidMax];
  taken.sort((a, b) => a - b);
  const last = taken.at(-2) ?? reserved;
  if (pidMax - last > 5 * FORKED_MEANWHILE) return last + FORKED_MEANWHILE;
  let best = { start: last, width: pidMax - last };
  for (let index = 1; index < taken.length; index += 1) {
    const width = (taken[index] ?? 0) - (taken[index - 1] ?? 0);
    if (width > best.width) best = { start: taken[index - 1] ?? 0, width };
  }
  return best.start + Math.min(FORKED_MEANWHILE, Math.floor(best.width / 4));
}
